using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Convoy.Autodiff.Ops;

// The comment of each operator is made from the first lines of its file by the test that keeps docs/operators.md
// (CONVOY_REWRITE=1), so a new line here needs none; that is why this file is longer than others.
#pragma warning disable CS1591

/// <summary>The operators there are. Names are part of the format of graphs: never reused, never renamed.</summary>
public static class OpTable
{
    // Leaves.
    /// <summary><c>input</c>: x = what the caller binds under its name -&gt; x; no inputs, no gradient; a gradient
    /// with respect to it is what is asked for.</summary>
    public static readonly Op Input = new Input();
    /// <summary><c>parameter</c>: w = the weights of its name -&gt; w; no inputs, no gradient; a training graph has
    /// an output for the gradient of each.</summary>
    public static readonly Op Parameter = new Parameter();
    /// <summary><c>full</c>: y = value everywhere -&gt; y; no inputs, no gradient.</summary>
    public static readonly Op Full = new Full();
    /// <summary><c>eye</c>: y[i, j] = 1 where i = j, else 0 -&gt; y of size x size; no inputs, no
    /// gradient.</summary>
    public static readonly Op Eye = new Eye();

    // Element by element.
    /// <summary><c>add</c>: z = x + y; broadcast; dx = dy = dz.</summary>
    public static readonly Op Add = new Add();
    /// <summary><c>subtract</c>: z = x - y; broadcast; dx = dz, dy = -dz.</summary>
    public static readonly Op Subtract = new Subtract();
    /// <summary><c>multiply</c>: z = x y; broadcast; dx = dz y, dy = dz x.</summary>
    public static readonly Op Multiply = new Multiply();
    /// <summary><c>divide</c>: z = x / y; broadcast; dx = dz / y, dy = -dz z / y.</summary>
    public static readonly Op Divide = new Divide();
    /// <summary><c>negate</c>: y = -x; x, y of one shape; dx = -dy.</summary>
    public static readonly Op Negate = new Negate();
    /// <summary><c>maximum</c>: z = max(x, y), NaN where either is; broadcast; the gradient goes to the larger;
    /// half to each when they are equal, or the share kink to the first; where either is a NaN, all of it to
    /// both.</summary>
    public static readonly Op Maximum = new Maximum();
    /// <summary><c>minimum</c>: z = min(x, y), NaN where either is; broadcast; the gradient goes to the smaller;
    /// half to each when they are equal, or the share kink to the first; where either is a NaN, all of it to
    /// both.</summary>
    public static readonly Op Minimum = new Minimum();
    /// <summary><c>pow</c>: z = x^y; broadcast; dx = dz y x^(y-1), dy = dz z ln(x); 0 at x = 0 for y = 0, and for y
    /// ≥ 0.</summary>
    public static readonly Op Pow = new Pow();
    /// <summary><c>pow-scalar</c>: y = x^c; x, y of one shape; dx = c dy x^(c-1), 0 where c is 0.</summary>
    public static readonly Op PowScalar = new PowScalar();
    /// <summary><c>equal</c>: z = 1 where x = y, else 0; broadcast; no gradient: the result is flat almost
    /// everywhere.</summary>
    public static readonly Op Equal = new Equal();
    /// <summary><c>less</c>: z = 1 where x &lt; y, else 0; broadcast; no gradient: the result is flat almost
    /// everywhere.</summary>
    public static readonly Op Less = new Less();
    /// <summary><c>greater</c>: z = 1 where x &gt; y, else 0; broadcast; no gradient: the result is flat almost
    /// everywhere.</summary>
    public static readonly Op Greater = new Greater();
    /// <summary><c>less-equal</c>: z = 1 where x &lt;= y, else 0; broadcast; no gradient: the result is flat almost
    /// everywhere.</summary>
    public static readonly Op LessEqual = new LessEqual();
    /// <summary><c>greater-equal</c>: z = 1 where x &gt;= y, else 0; broadcast; no gradient: the result is flat
    /// almost everywhere.</summary>
    public static readonly Op GreaterEqual = new GreaterEqual();
    /// <summary><c>relu</c>: y = max(x, 0); x, y of one shape; dx = dy where y &gt; 0 or NaN; 0 at the kink unless
    /// the attribute kink chooses.</summary>
    public static readonly Op Relu = new Relu();
    /// <summary><c>relu-grad</c>: z = 0 where y ≤ 0, else dy, so a NaN passes it on; dy, y, z of one shape; y is
    /// the result of relu; linear in dy; flat in y.</summary>
    public static readonly Op ReluGrad = new ReluGrad();
    /// <summary><c>sigmoid</c>: y = 1 / (1 + e^-x); x, y of one shape; dx = dy y (1 - y).</summary>
    public static readonly Op Sigmoid = new Sigmoid();
    /// <summary><c>sigmoid-grad</c>: z = dy y (1 - y); dy, y, z of one shape; y is the result of sigmoid; d dy = u
    /// y (1 - y), dy = u dy (1 - 2y).</summary>
    public static readonly Op SigmoidGrad = new SigmoidGrad();
    /// <summary><c>one-minus</c>: y = 1 - x; x, y of one shape; dx = -dy.</summary>
    public static readonly Op OneMinus = new OneMinus();
    /// <summary><c>tanh</c>: y = tanh(x); x, y of one shape; dx = dy (1 - y²).</summary>
    public static readonly Op Tanh = new Tanh();
    /// <summary><c>tanh-grad</c>: z = dy (1 - y²); dy, y, z of one shape; y is the result of tanh; d dy = u (1 -
    /// y²), dy = -2 u dy y.</summary>
    public static readonly Op TanhGrad = new TanhGrad();
    /// <summary><c>exp</c>: y = e^x; x, y of one shape; dx = dy y.</summary>
    public static readonly Op Exp = new Exp();
    /// <summary><c>log</c>: y = ln(x); x, y of one shape; dx = dy / x.</summary>
    public static readonly Op Log = new Log();
    /// <summary><c>abs</c>: y = |x|; x, y of one shape; dx = dy sign(x); 0 at the kink unless the attribute kink
    /// chooses.</summary>
    public static readonly Op Abs = new Abs();
    /// <summary><c>sqrt</c>: y = √x; x, y of one shape; dx = dy / 2y.</summary>
    public static readonly Op Sqrt = new Sqrt();
    /// <summary><c>square</c>: y = x²; x, y of one shape; dx = 2 dy x.</summary>
    public static readonly Op Square = new Square();
    /// <summary><c>softplus</c>: y = ln(1 + e^x); x, y of one shape; dx = dy sigmoid(x).</summary>
    public static readonly Op Softplus = new Softplus();
    /// <summary><c>leaky-relu</c>: y = x where x &gt; 0, else slope x; x, y of one shape; dx = dy where x &gt; 0,
    /// else slope dy; slope dy at the kink unless the attribute kink chooses.</summary>
    public static readonly Op LeakyRelu = new LeakyRelu();
    /// <summary><c>elu</c>: y = x where x &gt; 0, else alpha (e^x - 1); x, y of one shape; dx = dy where x &gt; 0,
    /// else dy (y + alpha); alpha dy at the kink unless the attribute kink chooses.</summary>
    public static readonly Op Elu = new Elu();
    /// <summary><c>silu</c>: y = x sigmoid(x), also called swish; x, y of one shape; dx = dy s (1 + x (1 - s)), s =
    /// sigmoid(x).</summary>
    public static readonly Op Silu = new Silu();
    /// <summary><c>mish</c>: y = x tanh(softplus(x)); x, y of one shape; dx = dy (t + x (1 - t²) sigmoid(x)), t =
    /// tanh(softplus(x)).</summary>
    public static readonly Op Mish = new Mish();
    /// <summary><c>gelu</c>: y = x Φ(x), the exact form; x, y of one shape; dx = dy (Φ(x) + x φ(x)).</summary>
    public static readonly Op Gelu = new Gelu();
    /// <summary><c>gelu-grad</c>: z = dy (Φ(x) + x φ(x)); dy, x, z of one shape; x is the input of gelu; d dy = the
    /// same of u, dx = u dy φ(x) (2 - x²).</summary>
    public static readonly Op GeluGrad = new GeluGrad();
    /// <summary><c>gelu-tanh</c>: y = x/2 (1 + tanh(u)), u = √(2/π) (x + 0.044715 x³); x, y of one shape; dx = dy
    /// ((1 + t)/2 + x/2 (1 - t²) u'(x)), t = tanh(u).</summary>
    public static readonly Op GeluTanh = new GeluTanh();
    /// <summary><c>hard-sigmoid</c>: y = min(max(x + 3, 0), 6) / 6; x, y of one shape; dx = dy / 6 where -3 &lt; x
    /// &lt; 3; 0 for a NaN, and at the kinks unless the attribute kink chooses.</summary>
    public static readonly Op HardSigmoid = new HardSigmoid();
    /// <summary><c>hard-swish</c>: y = x min(max(x + 3, 0), 6) / 6; x, y of one shape; dx = dy (2x + 3)/6 where -3
    /// ≤ x &lt; 3, dy above, 0 below; at the kinks the slope from above unless the attribute kink
    /// chooses.</summary>
    public static readonly Op HardSwish = new HardSwish();

    // Reductions and shapes.
    /// <summary><c>sum</c>: y = Σ x over axes; x of rank r, axes ascending, keep: summed dimensions stay as 1; dx =
    /// dy repeated over the axes.</summary>
    public static readonly Op Sum = new Sum();
    /// <summary><c>mean</c>: y = Σ x / count over axes; count: the elements that one result takes; dx = dy / count
    /// repeated over the axes Losses are sums (decision 4): a mean over the batch would depend on how the batch is
    /// cut, and is refused.</summary>
    public static readonly Op Mean = new Mean();
    /// <summary><c>max</c>: y = the largest of x over axes; keep: reduced dimensions stay as 1; dx = dy where x =
    /// y; elements that are equal share it evenly, or the attribute ties names who gets it: first or last in
    /// row-major order.</summary>
    public static readonly Op Max = new Max();
    /// <summary><c>min</c>: y = the smallest of x over axes; keep: reduced dimensions stay as 1; dx = dy where x =
    /// y; elements that are equal share it evenly, or the attribute ties names who gets it: first or last in
    /// row-major order.</summary>
    public static readonly Op Min = new Min();
    /// <summary><c>product</c>: y = Π x over axes; keep: reduced dimensions stay as 1; dx_i = dy Π_{j≠i} x_j,
    /// without a division, so zeros are legal: the product of those before i and that of those after.</summary>
    public static readonly Op Product = new Product();
    /// <summary><c>reshape</c>: y = x under another shape; x of a shape, y of dims, as many elements for every
    /// number of rows; dx = dy under the shape of x.</summary>
    public static readonly Op Reshape = new Reshape();
    /// <summary><c>transpose</c>: y[.., i_p0, i_p1, ..] = x[i_0, i_1, ..]; dimension j of y is dimension perm[j] of
    /// x; dx = dy under the inverse permutation.</summary>
    public static readonly Op Transpose = new Transpose();
    /// <summary><c>broadcast-to</c>: y = x repeated to dims; dimensions of size 1, and missing leading ones, are
    /// repeated; dx = the sum of dy over what was repeated (done by the gradient builder).</summary>
    public static readonly Op BroadcastTo = new BroadcastTo();
    /// <summary><c>slice</c>: y = x[.., start : start + count·step : step, ..] on one axis; dx = dy put back into
    /// zeros (slice-grad).</summary>
    public static readonly Op Slice = new Slice();
    /// <summary><c>slice-grad</c>: y = 0 but y[.., start : start + count·step : step, ..] = x on one axis of the
    /// given size: the adjoint of slice; dx = the same slice of dy.</summary>
    public static readonly Op SliceGrad = new SliceGrad();
    /// <summary><c>concat</c>: y = x0, x1, .. one after the other on one axis; all other dimensions equal; dx_i =
    /// the slice of dy where x_i lies.</summary>
    public static readonly Op Concat = new Concat();
    /// <summary><c>diagonal</c>: y[.., i, ..] = x[.., i, .., i, ..]: axes a &lt; b of equal size become one, at the
    /// place of a; dx = dy on the diagonal of zeros (diagonal-embed).</summary>
    public static readonly Op Diagonal = new Diagonal();
    /// <summary><c>diagonal-embed</c>: y[.., i, .., j, ..] = x[.., i, ..] where i = j, else 0: axis a becomes axes
    /// a and b; dx = the diagonal of dy.</summary>
    public static readonly Op DiagonalEmbed = new DiagonalEmbed();

    // Contractions.
    /// <summary><c>matmul</c>: y = a b; a_BMK (or a_BKM with ta), b_BKN (or b_BNK with tb) -&gt; y_BMN; B: leading
    /// dimensions, repeated where 1; da = dy bᵀ; db = aᵀ dy; flops 2·B·M·N·K.</summary>
    public static readonly Op MatMul = new MatMul();
    /// <summary><c>linear</c>: y = act(x wᵀ + b); x_..K, w_FK (with columns: w_KF, and x w), b_F (optional) -&gt;
    /// y_..F; flops 2·rows·K·F; dz = dy act'(y); dx = dz w, dw = dzᵀ x (with columns: dz wᵀ and xᵀ dz), db = Σ rows
    /// of dz The activation is fused by a pass, only where its gradient follows from y; columns are those of a
    /// fused matmul.</summary>
    public static readonly Op Linear = new Linear();
    /// <summary><c>einsum</c>: y[result] = Σ over the other letters of Π operands; operands left to right, two at a
    /// time, as matrix products d operand i = the contraction of dy and all other operands to the letters of i: an
    /// adjoint for every spec Here a letter is once in an operand, and in the result or another operand;
    /// Functions.Einsum brings other specs to this form with diagonal and sum.</summary>
    public static readonly Op Einsum = new Einsum();
    /// <summary><c>conv2d</c>: y = act(x ∗ w + b); x_NCHW, w_FCIJ (C/groups), b_F (optional) -&gt; y_NFHW; flops
    /// 2·|y|·C·I·J; dz = dy act'(y); dx = conv2d-grad-input, dw = conv2d-grad-weight, db = Σ samples and pixels of
    /// dz.</summary>
    public static readonly Op Conv2d = new Conv2d();
    /// <summary><c>conv2d-grad-input</c>: dx = Σ dy w over the outputs that saw a pixel; dy_NFhw, w_FCIJ -&gt;
    /// dx_NCHW, H and W are attributes; linear in both: d dy = conv2d of u, dw = conv2d-grad-weight of (u,
    /// dy).</summary>
    public static readonly Op Conv2dGradInput = new Conv2dGradInput();
    /// <summary><c>conv2d-grad-weight</c>: dw = Σ x dy over samples and pixels; x_NCHW, dy_NFhw -&gt; dw_FCIJ, I
    /// and J are attributes height and width; linear in both: dx = conv2d-grad-input of (dy, u), d dy = conv2d of
    /// (x, u).</summary>
    public static readonly Op Conv2dGradWeight = new Conv2dGradWeight();

    // Layers and losses.
    /// <summary><c>max-pool2d</c>: y = largest of each window, i = its place h·W + w in the plane (the first of
    /// equals); x_NCHW -&gt; y_NChw, i_NChw; dx = dy put back at i.</summary>
    public static readonly Op MaxPool2d = new MaxPool2d();
    /// <summary><c>max-pool2d-grad</c>: dx = dy added at the places i, 0 elsewhere; dy_NChw, i_NChw -&gt; dx_NCHW,
    /// H and W are attributes; d dy = u gathered at the places i.</summary>
    public static readonly Op MaxPool2dGrad = new MaxPool2dGrad();
    /// <summary><c>plane-gather</c>: y[n, c, h, w] = x[n, c, i[n, c, h, w]]; x_NCHW read as planes, i_NChw places
    /// h·W + w -&gt; y_NChw; dx = dy added at the places i.</summary>
    public static readonly Op PlaneGather = new PlaneGather();
    /// <summary><c>avg-pool2d</c>: y = mean of each window, padding counts as zeros; x_NCHW -&gt; y_NChw; dx =
    /// avg-pool2d-grad.</summary>
    public static readonly Op AvgPool2d = new AvgPool2d();
    /// <summary><c>avg-pool2d-grad</c>: dx = dy / window repeated over each window; dy_NChw -&gt; dx_NCHW, H and W
    /// are attributes; d dy = avg-pool2d of u.</summary>
    public static readonly Op AvgPool2dGrad = new AvgPool2dGrad();
    /// <summary><c>embedding</c>: y = w[ids]; w_VD, ids of any shape -&gt; y_..D; dw = embedding-grad.</summary>
    public static readonly Op Embedding = new Embedding();
    /// <summary><c>embedding-grad</c>: dw[v] = Σ dy where ids = v; dy_..D, ids of the leading shape -&gt; dw_VD, V
    /// is the attribute rows; d dy = embedding of u.</summary>
    public static readonly Op EmbeddingGrad = new EmbeddingGrad();
    /// <summary><c>softmax</c>: y = e^(x - max) / Σ e^(x - max); over the last dimension, x, y of one shape; dx =
    /// softmax-grad.</summary>
    public static readonly Op Softmax = new Softmax();
    /// <summary><c>softmax-grad</c>: z = y (dy - Σ y dy); over the last dimension, all of one shape; y is the
    /// result of softmax; d dy = softmax-grad of u; dy = u (dy - Σ y dy) - dy Σ u y.</summary>
    public static readonly Op SoftmaxGrad = new SoftmaxGrad();
    /// <summary><c>log-softmax</c>: y = x - max - ln Σ e^(x - max); over the last dimension, x, y of one shape; dx
    /// = log-softmax-grad.</summary>
    public static readonly Op LogSoftmax = new LogSoftmax();
    /// <summary><c>log-softmax-grad</c>: z = dy - e^y Σ dy; over the last dimension, all of one shape; y is the
    /// result of log-softmax; d dy = u - Σ u e^y; dy = -u e^y Σ dy.</summary>
    public static readonly Op LogSoftmaxGrad = new LogSoftmaxGrad();
    /// <summary><c>layer-norm</c>: y = (x - mean) rstd gain + bias; x_..D, gain_D, bias_D -&gt; y_..D, mean_..,
    /// rstd_..; variance over D, not D - 1; dx = layer-norm-grad-input + dmean / D - drstd rstd³ (x - mean) / D,
    /// dgain and dbias = layer-norm-grad-gain.</summary>
    public static readonly Op LayerNorm = new LayerNorm();
    /// <summary><c>layer-norm-grad-input</c>: dx = rstd (p - Σp/D - h Σ(p h)/D), h = (x - mean) rstd, p = dy gain
    /// dy, x_..D, gain_D, mean_.., rstd_.. -&gt; dx_..D d of all five with cotangent u; mean and rstd are operands
    /// of their own, layer-norm takes theirs on to its x.</summary>
    public static readonly Op LayerNormGradInput = new LayerNormGradInput();
    /// <summary><c>layer-norm-grad-gain</c>: dgain = Σ rows of dy (x - mean) rstd, dbias = Σ rows of dy; dy, x_..D,
    /// mean_.., rstd_.. -&gt; dgain_D, dbias_D; d dy = h ugain + ubias; dx, dmean and drstd through h = (x - mean)
    /// rstd.</summary>
    public static readonly Op LayerNormGradGain = new LayerNormGradGain();
    /// <summary><c>attention</c>: s = q kᵀ/√d (keys after the query are hidden when causal), p = softmax(s), y = p
    /// v, for each head qkv_NT(3D): columns q, k, v, each H heads of d = D/H -&gt; y_NTD, l_NHT = ln Σ e^s; flops
    /// 4·N·T²·D; dqkv = attention-grad.</summary>
    public static readonly Op Attention = new Attention();
    /// <summary><c>attention-grad</c>: dqkv of attention; dy, y_NTD, qkv_NT(3D), l_NHT -&gt; dqkv_NT(3D); flops
    /// 10·N·T²·D d dy and d qkv: the gradient of the same formula written out, see Written.</summary>
    public static readonly Op AttentionGrad = new AttentionGrad();
    /// <summary><c>cross-entropy</c>: loss_r = l_r - (x_r,target - m_r), m_r the largest of x_r; x_..C logits,
    /// targets_.. -&gt; loss_.., l_.. = ln Σ e^(x - m); 0 outside of C; dx = cross-entropy-grad.</summary>
    public static readonly Op CrossEntropy = new CrossEntropy();
    /// <summary><c>cross-entropy-grad</c>: z_rc = (e^(x_rc - m_r - l_r) - [c = target_r]) dy_r, m_r the largest of
    /// x_r; dy_.., x_..C, targets_.., l_.. -&gt; z_..C with s = softmax(x), v = u dy: d dy = Σ_c u (s - onehot), dx
    /// = s (v - Σ_c v s).</summary>
    public static readonly Op CrossEntropyGrad = new CrossEntropyGrad();
    /// <summary><c>correct</c>: y = 1 where the largest logit (the first of equals) is the target, else 0; x_..C,
    /// targets_.. -&gt; y_.. no gradient: it counts.</summary>
    public static readonly Op Correct = new Correct();

    // Element by element, more of them.
    /// <summary><c>acos</c>: y = arccos x in radians, NaN outside [-1, 1]; x, y of one shape; dx = -dy / √(1 -
    /// x²).</summary>
    public static readonly Op Acos = new Acos();
    /// <summary><c>acosh</c>: y = ln(x + √(x² - 1)), NaN below 1; x, y of one shape; dx = dy / √(x² - 1).</summary>
    public static readonly Op Acosh = new Acosh();
    /// <summary><c>asin</c>: y = arcsin x in radians, NaN outside [-1, 1]; x, y of one shape; dx = dy / √(1 -
    /// x²).</summary>
    public static readonly Op Asin = new Asin();
    /// <summary><c>asinh</c>: y = ln(x + √(x² + 1)); x, y of one shape; dx = dy / √(x² + 1).</summary>
    public static readonly Op Asinh = new Asinh();
    /// <summary><c>atan</c>: y = arctan x in radians; x, y of one shape; dx = dy / (1 + x²).</summary>
    public static readonly Op Atan = new Atan();
    /// <summary><c>atan2</c>: z = the angle in radians, in (-π, π], of the point of ordinate x and abscissa y; x, y
    /// -&gt; z, dimensions of size 1 repeated; dx = dz y / (x² + y²); dy = -dz x / (x² + y²); (0 at the
    /// origin).</summary>
    public static readonly Op Atan2 = new Atan2();
    /// <summary><c>atanh</c>: y = ln((1 + x) / (1 - x)) / 2, NaN outside [-1, 1]; x, y of one shape; dx = dy / (1 -
    /// x²).</summary>
    public static readonly Op Atanh = new Atanh();
    /// <summary><c>cbrt</c>: y = ∛x, of negative x too; x, y of one shape; dx = dy / (3 y²).</summary>
    public static readonly Op Cbrt = new Cbrt();
    /// <summary><c>ceil</c>: y = the integer at or above x; x, y of one shape; no gradient.</summary>
    public static readonly Op Ceil = new Ceil();
    /// <summary><c>celu</c>: y = x where x &gt; 0, else alpha (e^(x/alpha) - 1); x, y of one shape; dx = dy where x
    /// &gt; 0, else dy (y / alpha + 1).</summary>
    public static readonly Op Celu = new Celu();
    /// <summary><c>clamp</c>: y = min(max(x, min), max); x, y of one shape; a bound that is not given is infinite;
    /// dx = dy where min ≤ x ≤ max, else 0, for a NaN too; dy at the bounds unless the attribute kink
    /// chooses.</summary>
    public static readonly Op Clamp = new Clamp();
    /// <summary><c>cos</c>: y = cos x, x in radians; x, y of one shape; dx = -dy sin x.</summary>
    public static readonly Op Cos = new Cos();
    /// <summary><c>cosh</c>: y = (e^x + e^-x) / 2; x, y of one shape; dx = dy sinh x.</summary>
    public static readonly Op Cosh = new Cosh();
    /// <summary><c>erf</c>: y = 2/√π ∫₀ˣ e^(-t²) dt; x, y of one shape; dx = dy 2/√π e^(-x²).</summary>
    public static readonly Op Erf = new Erf();
    /// <summary><c>expm1</c>: y = e^x - 1, exact for small x; x, y of one shape; dx = dy (y + 1).</summary>
    public static readonly Op Expm1 = new Expm1();
    /// <summary><c>floor</c>: y = the integer at or below x; x, y of one shape; no gradient.</summary>
    public static readonly Op Floor = new Floor();
    /// <summary><c>hard-tanh</c>: y = x between -1 and 1; x, y of one shape; dx = dy inside, 0 outside, for a NaN,
    /// and at both kinks unless the attribute kink chooses.</summary>
    public static readonly Op HardTanh = new HardTanh();
    /// <summary><c>hypot</c>: z = √(x² + y²) without overflow; x, y -&gt; z, dimensions of size 1 repeated; dx = dz
    /// x / z; dy = dz y / z; (0 at the origin).</summary>
    public static readonly Op Hypot = new Hypot();
    /// <summary><c>lgamma</c>: y = ln |Γ(x)|; x, y of one shape; dx = dy ψ(x).</summary>
    public static readonly Op Lgamma = new Lgamma();
    /// <summary><c>log1p</c>: y = ln(1 + x), exact for small x; x, y of one shape; dx = dy / (1 + x).</summary>
    public static readonly Op Log1p = new Log1p();
    /// <summary><c>log2</c>: y = log2 x; x, y of one shape; dx = dy / (x ln 2).</summary>
    public static readonly Op Log2 = new Log2();
    /// <summary><c>log-add-exp</c>: z = ln(e^x + e^y) without overflow; x, y -&gt; z, dimensions of size 1
    /// repeated; dx = dz σ(x - y); dy = dz σ(y - x).</summary>
    public static readonly Op LogAddExp = new LogAddExp();
    /// <summary><c>log-sigmoid</c>: y = ln(1 / (1 + e^-x)) without overflow; x, y of one shape; dx = dy (1 -
    /// e^y).</summary>
    public static readonly Op LogSigmoid = new LogSigmoid();
    /// <summary><c>masked-fill</c>: y = value where mask is not 0, else x; x, mask (numbers or int32) -&gt; y,
    /// dimensions of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op MaskedFill = new MaskedFill();
    /// <summary><c>not-equal</c>: z = 1 where x ≠ y, else 0; x, y -&gt; z, dimensions of size 1 repeated; no
    /// gradient.</summary>
    public static readonly Op NotEqual = new NotEqual();
    /// <summary><c>polygamma</c>: y = ψ⁽ⁿ⁾(x), the derivative of order n + 1 of ln Γ; n = 0 is the digamma
    /// function; x, y of one shape; dx = dy ψ⁽ⁿ⁺¹⁾(x).</summary>
    public static readonly Op Polygamma = new Polygamma();
    /// <summary><c>reciprocal</c>: y = 1 / x; x, y of one shape; dx = -dy y².</summary>
    public static readonly Op Reciprocal = new Reciprocal();
    /// <summary><c>relu6</c>: y = x between 0 and 6; x, y of one shape; dx = dy inside, 0 outside, for a NaN, and
    /// at both kinks unless the attribute kink chooses.</summary>
    public static readonly Op Relu6 = new Relu6();
    /// <summary><c>round</c>: y = the nearest integer, the even one of two; x, y of one shape; no
    /// gradient.</summary>
    public static readonly Op Round = new Round();
    /// <summary><c>rsqrt</c>: y = 1 / √x; x, y of one shape; dx = -dy y³ / 2.</summary>
    public static readonly Op Rsqrt = new Rsqrt();
    /// <summary><c>selu</c>: y = s x where x &gt; 0, else s a (e^x - 1); s and a keep mean 0 and variance 1
    /// (Klambauer and others 2017) x, y of one shape; dx = dy s where x &gt; 0, else dy (y + s a); s a dy at the
    /// kink unless the attribute kink chooses.</summary>
    public static readonly Op Selu = new Selu();
    /// <summary><c>sign</c>: y = 1, 0 or -1; NaN stays; x, y of one shape; no gradient: constant between its
    /// jumps.</summary>
    public static readonly Op Sign = new Sign();
    /// <summary><c>sin</c>: y = sin x, x in radians; x, y of one shape; dx = dy cos x.</summary>
    public static readonly Op Sin = new Sin();
    /// <summary><c>sinh</c>: y = (e^x - e^-x) / 2; x, y of one shape; dx = dy cosh x.</summary>
    public static readonly Op Sinh = new Sinh();
    /// <summary><c>softsign</c>: y = x / (1 + |x|); x, y of one shape; dx = dy / (1 + |x|)².</summary>
    public static readonly Op Softsign = new Softsign();
    /// <summary><c>stop-gradient</c>: y = x; x, y of one shape; no gradient: what follows sees a
    /// constant.</summary>
    public static readonly Op StopGradient = new StopGradient();
    /// <summary><c>tan</c>: y = tan x, x in radians; x, y of one shape; dx = dy (1 + y²).</summary>
    public static readonly Op Tan = new Tan();
    /// <summary><c>where</c>: z = a where c is not 0, else b; c (numbers or int32), a, b -&gt; z, dimensions of
    /// size 1 repeated; da = dz where c is not 0, else 0; db = 0 where c is not 0, else dz.</summary>
    public static readonly Op Where = new Where();

    // Soft logic.
    /// <summary><c>and-min</c>: z = min(x, y), "and" of Gödel logic, of truth values in [0, 1]; x, y -&gt; z,
    /// dimensions of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op AndMin = new AndMin();
    /// <summary><c>and-prob</c>: z = x y, "and" of independent events, of truth values in [0, 1]; x, y -&gt; z,
    /// dimensions of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op AndProb = new AndProb();
    /// <summary><c>exists</c>: y = max x: some element holds; x over axes; keep: reduced dimensions stay as 1;
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op Exists = new Exists();
    /// <summary><c>exists-prob</c>: y = 1 - Π (1 - x): some of independent events; x over axes; keep: reduced
    /// dimensions stay as 1; gradient: that of the operators it is written in.</summary>
    public static readonly Op ExistsProb = new ExistsProb();
    /// <summary><c>exists-smooth</c>: y = t ln(mean e^(x/t)): nears the largest as the temperature t falls to 0; x
    /// over axes; keep: reduced dimensions stay as 1; of nothing 0; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op ExistsSmooth = new ExistsSmooth();
    /// <summary><c>for-all</c>: y = min x: every element holds; x over axes; keep: reduced dimensions stay as 1;
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op ForAll = new ForAll();
    /// <summary><c>for-all-prob</c>: y = Π x: all of independent events; x over axes; keep: reduced dimensions stay
    /// as 1; gradient: that of the operators it is written in.</summary>
    public static readonly Op ForAllProb = new ForAllProb();
    /// <summary><c>for-all-smooth</c>: y = -t ln(mean e^(-x/t)): nears the smallest as the temperature t falls to
    /// 0; x over axes; keep: reduced dimensions stay as 1; of nothing 1; gradient: that of the operators it is
    /// written in.</summary>
    public static readonly Op ForAllSmooth = new ForAllSmooth();
    /// <summary><c>implies</c>: z = 1 - x + x y (Reichenbach), of truth values in [0, 1]; x, y -&gt; z, dimensions
    /// of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op Implies = new Implies();
    /// <summary><c>nand</c>: z = 1 - x y, of truth values in [0, 1]; x, y -&gt; z, dimensions of size 1 repeated;
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op Nand = new Nand();
    /// <summary><c>nor</c>: z = 1 - max(x, y), of truth values in [0, 1]; x, y -&gt; z, dimensions of size 1
    /// repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op Nor = new Nor();
    /// <summary><c>or-max</c>: z = max(x, y), "or" of Gödel logic, of truth values in [0, 1]; x, y -&gt; z,
    /// dimensions of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op OrMax = new OrMax();
    /// <summary><c>or-prob-sum</c>: z = x + y - x y, "or" of independent events, of truth values in [0, 1]; x, y
    /// -&gt; z, dimensions of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op OrProbSum = new OrProbSum();
    /// <summary><c>xor</c>: z = x + y - 2 x y, of truth values in [0, 1]; x, y -&gt; z, dimensions of size 1
    /// repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op Xor = new Xor();
    /// <summary><c>and-smooth</c>: z = -t ln((e^(-x/t) + e^(-y/t)) / 2): min(x, y) as the temperature t falls to 0;
    /// x, y -&gt; z, dimensions of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op AndSmooth = new AndSmooth();
    /// <summary><c>or-smooth</c>: z = t ln((e^(x/t) + e^(y/t)) / 2): max(x, y) as the temperature t falls to 0, the
    /// mean as it rises; x, y -&gt; z, dimensions of size 1 repeated; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op OrSmooth = new OrSmooth();
    /// <summary><c>nand-smooth</c>: z = 1 - and-smooth(x, y): 1 - min(x, y) as the temperature t falls to 0; x, y
    /// -&gt; z, dimensions of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op NandSmooth = new NandSmooth();
    /// <summary><c>nor-smooth</c>: z = 1 - or-smooth(x, y): 1 - max(x, y) as the temperature t falls to 0; x, y
    /// -&gt; z, dimensions of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op NorSmooth = new NorSmooth();
    /// <summary><c>xor-smooth</c>: z = and-smooth(or-smooth(x, y), nand-smooth(x, y)): one of both and not the
    /// other; x, y -&gt; z, dimensions of size 1 repeated; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op XorSmooth = new XorSmooth();
    /// <summary><c>implies-smooth</c>: z = or-smooth(1 - x, y): max(1 - x, y) as the temperature t falls to 0
    /// (Kleene and Dienes); x, y -&gt; z, dimensions of size 1 repeated; gradient: that of the operators it is
    /// written in.</summary>
    public static readonly Op ImpliesSmooth = new ImpliesSmooth();
    /// <summary><c>exists-weighted</c>: y = 1 - Π (1 - x)^w: some of them, each as much as its weight says; x and w
    /// (0 or more, repeated to x) over axes; keep: reduced dimensions stay as 1; gradient: that of the operators it
    /// is written in.</summary>
    public static readonly Op ExistsWeighted = new ExistsWeighted();
    /// <summary><c>for-all-weighted</c>: y = Π x^w: all of them, each as much as its weight says; x and w (0 or
    /// more, repeated to x) over axes; keep: reduced dimensions stay as 1; gradient: that of the operators it is
    /// written in.</summary>
    public static readonly Op ForAllWeighted = new ForAllWeighted();
    /// <summary><c>weighted-mean</c>: y = Σ w x / Σ w: the score of weighted constraints; x and w (0 or more,
    /// repeated to x) over axes; keep: reduced dimensions stay as 1; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op WeightedMean = new WeightedMean();
    /// <summary><c>log-not</c>: y = ln(1 - e^x): "not" of ln p, x below 0; x, y of one shape; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op LogNot = new LogNot();
    /// <summary><c>log-exists</c>: y = ln(1 - Π (1 - e^x)): ln of "some of independent events" from their ln p, x
    /// below 0; x over axes; keep: reduced dimensions stay as 1; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op LogExists = new LogExists();
    /// <summary><c>log-for-all</c>: y = Σ x: ln of "all of independent events" from their ln p; x over axes; keep:
    /// reduced dimensions stay as 1; gradient: that of the operators it is written in.</summary>
    public static readonly Op LogForAll = new LogForAll();

    // Reductions and scans.
    /// <summary><c>all</c>: y = 1 where every x is not 0, else 0; x over axes; keep: reduced dimensions stay as 1;
    /// no gradient; gradient: that of the operators it is written in.</summary>
    public static readonly Op AllOf = new AllOf();
    /// <summary><c>any</c>: y = 1 where some x is not 0, else 0; x over axes; keep: reduced dimensions stay as 1;
    /// no gradient; gradient: that of the operators it is written in.</summary>
    public static readonly Op Any = new Any();
    /// <summary><c>arg-max</c>: y = the place of the largest x on one axis; int32, without the axis.</summary>
    public static readonly Op ArgMax = new ArgMax();
    /// <summary><c>arg-min</c>: y = the place of the smallest x on one axis; int32, without the axis.</summary>
    public static readonly Op ArgMin = new ArgMin();
    /// <summary><c>cumprod</c>: y_i = Π x_j over j ≤ i on one axis, in float64; from the end where reverse is set;
    /// x, y of one shape; dx_j = Σ_{i ≥ j} dy_i Π_{k ≤ i, k ≠ j} x_k without a division, so zeros are legal: the
    /// product of those before j, times s_j = dy_j + x_{j+1} s_{j+1}, a recurrence from the other end.</summary>
    public static readonly Op CumProd = new CumProd();
    /// <summary><c>cumsum</c>: y_i = Σ x_j over j ≤ i on one axis, in float64; from the end where reverse is set;
    /// x, y of one shape; dx = the same sum of dy from the other end.</summary>
    public static readonly Op CumSum = new CumSum();
    /// <summary><c>recurrence</c>: y_i = a_i y_{i-1} + b_i on one axis, in float64; from the end where reverse is
    /// set; a, b, y of one shape; db_i = dy_i + a_{i+1} db_{i+1}, a recurrence from the other end; da_i = db_i
    /// y_{i-1}.</summary>
    public static readonly Op Recurrence = new Recurrence();
    /// <summary><c>log-sum-exp</c>: y = ln Σ e^x without overflow: the largest of each group is taken out first and
    /// carries no gradient of its own x over axes; keep: reduced dimensions stay as 1; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op LogSumExp = new LogSumExp();
    /// <summary><c>norm</c>: y = (Σ |x|^p)^(1/p); p = 2 unless given; x over axes; keep: reduced dimensions stay as
    /// 1 The gradient at 0 is 0, the subgradient of least norm; for p = 1 the attribute kink of abs chooses
    /// another; gradient: that of the operators it is written in.</summary>
    public static readonly Op Norm = new Norm();
    /// <summary><c>std</c>: y = √variance; x over axes; keep: reduced dimensions stay as 1 The gradient of elements
    /// that are all equal is 0, the subgradient of least norm; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op Std = new Std();
    /// <summary><c>variance</c>: y = Σ (x - mean)² / (n - 1), or / n where unbiased is 0; x over axes; keep:
    /// reduced dimensions stay as 1; gradient: that of the operators it is written in.</summary>
    public static readonly Op Variance = new Variance();

    // Shapes.
    /// <summary><c>diag</c>: y = the diagonal of the last two dimensions, as long as the shorter one, or a matrix
    /// with x on its diagonal when x is a vector; gradient: that of the operators it is written in.</summary>
    public static readonly Op Diag = new Diag();
    /// <summary><c>flip</c>: y[.., i, ..] = x[.., n - 1 - i, ..] on one axis; x, y of one shape; dx = dy turned
    /// around in the same way.</summary>
    public static readonly Op Flip = new Flip();
    /// <summary><c>iota</c>: y[i] = i -&gt; y of size elements; no inputs, no gradient.</summary>
    public static readonly Op Iota = new Iota();
    /// <summary><c>kron</c>: z = every element of a tensor x times the tensor y; x_IJ.., y_KL.. -&gt; z_(IK)(JL)..
    /// missing leading dimensions are 1; gradient: that of the operators it is written in.</summary>
    public static readonly Op Kron = new Kron();
    /// <summary><c>meshgrid</c>: y_n = vector n along dimension n of the product of all vectors (row-major, "ij"
    /// indexing); gradient: that of the operators it is written in.</summary>
    public static readonly Op Meshgrid = new Meshgrid();
    /// <summary><c>pad</c>: y = x with constant elements before and after it on one axis; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op Pad = new Pad();
    /// <summary><c>permute</c>: y = x with its dimensions in the order of perm; gradient: that of the operators it
    /// is written in.</summary>
    public static readonly Op Permute = new Permute();
    /// <summary><c>roll</c>: y = x with element i at i + shift of one axis, around the end; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op Roll = new Roll();
    /// <summary><c>split</c>: y_n = stretch n of one axis, sizes given, all of it; gradient: that of the operators
    /// it is written in.</summary>
    public static readonly Op Split = new Split();
    /// <summary><c>squeeze</c>: y = x without dimension axis, whose size is 1; gradient: that of the operators it
    /// is written in.</summary>
    public static readonly Op Squeeze = new Squeeze();
    /// <summary><c>stack</c>: y = inputs of one shape side by side on a new dimension axis; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op Stack = new Stack();
    /// <summary><c>tile</c>: y = x repeated repeats[i] times along dimension i, counted from the last; missing
    /// leading dimensions and repeats are 1; gradient: that of the operators it is written in.</summary>
    public static readonly Op Tile = new Tile();
    /// <summary><c>trace</c>: y = Σ x_ii over the last two dimensions, as far as the shorter; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op Trace = new Trace();
    /// <summary><c>tril</c>: y = x on and below diagonal k of the last two dimensions (k = 0 is the main one, k
    /// &gt; 0 above it), else 0; gradient: that of the operators it is written in.</summary>
    public static readonly Op Tril = new Tril();
    /// <summary><c>triu</c>: y = x on and above diagonal k of the last two dimensions (k = 0 is the main one, k
    /// &gt; 0 above it), else 0; gradient: that of the operators it is written in.</summary>
    public static readonly Op Triu = new Triu();
    /// <summary><c>unsqueeze</c>: y = x with a dimension of size 1 at axis; gradient: that of the operators it is
    /// written in.</summary>
    public static readonly Op Unsqueeze = new Unsqueeze();

    // Indices.
    /// <summary><c>gather</c>: y[.., k, ..] = x[.., index[.., k, ..], ..] on one axis; x, index (int32) of x's
    /// shape but for the axis -&gt; y of index's shape dx = dy added at the places of the index.</summary>
    public static readonly Op Gather = new Gather();
    /// <summary><c>index-add</c>: y[.., j, ..] = Σ x[.., k, ..] over the k with index[k] = j, on one axis of the
    /// given size; the adjoint of index-select dx = dy selected at the index.</summary>
    public static readonly Op IndexAdd = new IndexAdd();
    /// <summary><c>index-select</c>: y[.., k, ..] = x[.., index[k], ..] on one axis; x, index (int32) of rank 1
    /// -&gt; y; dx = dy added at the places of the index (index-add).</summary>
    public static readonly Op IndexSelect = new IndexSelect();
    /// <summary><c>mark</c>: y = 1 where ids = value, else 0, as numbers; ids (int32), y of one shape; no
    /// gradient.</summary>
    public static readonly Op Mark = new Mark();
    /// <summary><c>one-hot</c>: y[.., c] = 1 where ids[..] = c, else 0; ids (int32) of any shape -&gt; y with a
    /// last dimension of classes elements; no gradient.</summary>
    public static readonly Op OneHot = new OneHot();
    /// <summary><c>replace</c>: y = with where ids = value, else ids; ids, y (int32) of one shape; no
    /// gradient.</summary>
    public static readonly Op Replace = new Replace();
    /// <summary><c>scatter-add</c>: y = x, then y[.., index[.., k, ..], ..] += source[.., k, ..] on one axis, in
    /// the order of k x, index (int32), source of the index's shape -&gt; y of x's shape; dx = dy; dsource = dy
    /// gathered at the index.</summary>
    public static readonly Op ScatterAdd = new ScatterAdd();
    /// <summary><c>sort</c>: y = x in ascending order on one axis (descending where set), equal elements in their
    /// order, NaN as the largest; and the places they come from; x -&gt; y, places (int32), all of one shape; dx =
    /// dy added at the places.</summary>
    public static readonly Op Sort = new Sort();
    /// <summary><c>top-k</c>: y = the k largest x on one axis in descending order (smallest, ascending, where set),
    /// NaN as the largest, and the places they come from x -&gt; y, places (int32) with k elements on the axis; dx
    /// = dy added at the places.</summary>
    public static readonly Op TopK = new TopK();

    // Windows.
    /// <summary><c>adaptive-avg-pool</c>: y = the mean of each part; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op AdaptiveAvgPool = new AdaptiveAvgPool();
    /// <summary><c>adaptive-max-pool</c>: y = the largest of each part; of equals the first in row order has the
    /// gradient; gradient: that of the operators it is written in.</summary>
    public static readonly Op AdaptiveMaxPool = new AdaptiveMaxPool();
    /// <summary><c>conv1d-any</c>: y = Σ x w over the window, along one dimension; x_NCL, w_FCK, bias_F -&gt;
    /// y_NFP; gradient: that of the operators it is written in.</summary>
    public static readonly Op Conv1d = new Conv1d();
    /// <summary><c>conv2d-any</c>: The same in two dimensions, where strides may differ; conv2d is the fast form
    /// for square windows; gradient: that of the operators it is written in.</summary>
    public static readonly Op Conv2dAny = new Conv2dAny();
    /// <summary><c>conv3d-any</c>: The same in three dimensions; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op Conv3d = new Conv3d();
    /// <summary><c>conv-transpose1d</c>: y = the adjoint of conv1d; x_NCL, w_CFK, bias_F -&gt; y_NFM; gradient:
    /// that of the operators it is written in.</summary>
    public static readonly Op ConvTranspose1d = new ConvTranspose1d();
    /// <summary><c>conv-transpose2d</c>: y = the adjoint of conv2d; x_NCHW, w_CFIJ, bias_F -&gt; y_NFKL; gradient:
    /// that of the operators it is written in.</summary>
    public static readonly Op ConvTranspose2d = new ConvTranspose2d();
    /// <summary><c>conv-transpose3d</c>: y = the adjoint of conv3d; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op ConvTranspose3d = new ConvTranspose3d();
    /// <summary><c>fold</c>: y[n, c, pixel] = Σ x[n, c, t, p] over the taps and places that see the pixel; the
    /// adjoint of unfold x_NCTP -&gt; y_NC(sizes); dx = unfold of dy.</summary>
    public static readonly Op Fold = new Fold();
    /// <summary><c>interpolate</c>: y = x resampled to the given sizes, nearest or linear in each dimension;
    /// x_NC(sizes) -&gt; y_NC(output); gradient: that of the operators it is written in.</summary>
    public static readonly Op Interpolate = new Interpolate();
    /// <summary><c>max-pool</c>: y = the largest of each window, never of the padding; -∞ of padding alone;
    /// x_NC(sizes) -&gt; y_NC(places); dx = dy at the largest; of equals, and of NaNs, the first has it, as in
    /// max-pool2d, unless the attribute ties says last or share.</summary>
    public static readonly Op MaxPoolNd = new MaxPoolNd();
    /// <summary><c>avg-pool</c>: y = the mean of each window, padding counted as zeros; x_NC(sizes) -&gt;
    /// y_NC(places); gradient: that of the operators it is written in.</summary>
    public static readonly Op AvgPoolNd = new AvgPoolNd();
    /// <summary><c>resample</c>: y[.., i, ..] = Σ_j w_ij x[.., j, ..] on one axis of size n -&gt; size m nearest: w
    /// picks j = floor(i n / m); linear: the two neighbours of (i + ½) n / m - ½, kept inside; dx = the transposed
    /// sum (adjoint), so the operator is its own gradient.</summary>
    public static readonly Op Resample = new Resample();
    /// <summary><c>unfold</c>: y[n, c, t, p] = the pixel that tap t of the window at place p sees in plane c of
    /// image n, value in the padding x_NC(sizes) -&gt; y_NCTP, T = Π kernel, P = Π places; any number of
    /// dimensions; dx = fold of dy.</summary>
    public static readonly Op Unfold = new Unfold();

    // Layers.
    /// <summary><c>batch-norm</c>: y = (x - mean) / √(variance + epsilon) gain + bias over each channel of the
    /// samples of a slice (all samples where the batch is not cut); with running values, those take the place of
    /// mean and variance in evaluation x_NC.., gain_C, bias_C, running mean_C, running variance_C -&gt; y_NC..,
    /// mean_NC.., variance_NC.. of the slice of n; gradient: that of the operators it is written in.</summary>
    public static readonly Op BatchNorm = new BatchNorm();
    /// <summary><c>dropout</c>: y = x times dropout-mask: 0 for a share rate of the elements, the others divided by
    /// 1 - rate; x, y of one shape The identity in evaluation; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op Dropout = new Dropout();
    /// <summary><c>dropout-mask</c>: y = 1 / (1 - rate) where the random number is rate or more, else 0 -&gt; y The
    /// number is that of (seed, stream, element) in a tensor of fixed shape; where the first dimension is the
    /// batch, that of (seed of the job, seed, stream; step, position of the sample, element of the sample). 1 in
    /// evaluation. no inputs, no gradient.</summary>
    public static readonly Op DropoutMask = new DropoutMask();
    /// <summary><c>group-norm</c>: y = (x - mean) / √(variance + epsilon) gain + bias over each of G groups of
    /// channels; x_NC.., gain_C, bias_C; gradient: that of the operators it is written in.</summary>
    public static readonly Op GroupNorm = new GroupNorm();
    /// <summary><c>gru</c>: gru-cell over time; x_NTI, h_NH, w, u, b, b' -&gt; y_NTH (all h), h_NH (the last);
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op Gru = new Gru();
    /// <summary><c>gru-cell</c>: r, z, n = parts: r and z = σ(x wᵀ + h uᵀ + b), n = tanh(x wᵀ + b + r (h uᵀ + b'));
    /// h = (1 - z) n + z h (Cho and others 2014) x_NI, h_NH, w_(3H)I, u_(3H)H, b_3H, b'_3H -&gt; h_NH; gradient:
    /// that of the operators it is written in.</summary>
    public static readonly Op GruCell = new GruCell();
    /// <summary><c>gumbel-softmax</c>: y = softmax((x + noise) / temperature) with Gumbel noise of (seed, element);
    /// hard: the one-hot of its largest, with that gradient (Jang and others 2017); over the last dimension, x, y
    /// of one shape; gradient: that of the operators it is written in.</summary>
    public static readonly Op GumbelSoftmax = new GumbelSoftmax();
    /// <summary><c>instance-norm</c>: y = (x - mean) / √(variance + epsilon) gain + bias over each channel of each
    /// sample; x_NC.., gain_C, bias_C; gradient: that of the operators it is written in.</summary>
    public static readonly Op InstanceNorm = new InstanceNorm();
    /// <summary><c>layer-norm-any</c>: y = (x - mean) / √(variance + epsilon) gain + bias over the last dimensions,
    /// as many as axes says; gain, bias of their shape; gradient: that of the operators it is written in.</summary>
    public static readonly Op LayerNormAny = new LayerNormAny();
    /// <summary><c>lstm</c>: lstm-cell over time; x_NTI, h_NH, c_NH, w, u, b -&gt; y_NTH (all h), h_NH, c_NH (the
    /// last); gradient: that of the operators it is written in.</summary>
    public static readonly Op Lstm = new Lstm();
    /// <summary><c>lstm-cell</c>: i, f, g, o = four parts of x wᵀ + h uᵀ + b; c = σ(f) c + σ(i) tanh(g); h = σ(o)
    /// tanh(c) (Hochreiter and Schmidhuber 1997) x_NI, h_NH, c_NH, w_(4H)I, u_(4H)H, b_4H -&gt; h_NH, c_NH;
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op LstmCell = new LstmCell();
    /// <summary><c>rms-norm</c>: y = x / √(mean x² + epsilon) gain over the last dimension; x_..D, gain_D -&gt;
    /// y_..D; gradient: that of the operators it is written in.</summary>
    public static readonly Op RmsNorm = new RmsNorm();
    /// <summary><c>scaled-dot-product</c>: y = softmax(q kᵀ / √d + mask) v; q_..TD, k_..SD, v_..SE, mask of the
    /// scores (added) -&gt; y_..TE; causal: place t sees s ≤ t; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op ScaledDotProduct = new ScaledDotProduct();
    /// <summary><c>slice-mean</c>: y_n = the mean of x over the rows of the slice that n lies in, element by
    /// element; x, y of one shape Rows first. Slices are fixed cuts of the batch, so the result does not depend on
    /// how they are dealt; a call without slices is one slice. A mean is symmetric: dx = the same mean of
    /// dy.</summary>
    public static readonly Op SliceMean = new SliceMean();
    /// <summary><c>statistic</c>: y = batch in training, running repeated to its shape in evaluation
    /// (passes/EvaluationForm); batch, running -&gt; y; d batch = dy; running gets none: it follows the batch by a
    /// rule of its own.</summary>
    public static readonly Op Statistic = new Statistic();
    /// <summary><c>straight-through</c>: y = hard as a value, soft as a gradient (Bengio and others 2013); hard,
    /// soft, y of one shape; gradient: that of the operators it is written in.</summary>
    public static readonly Op StraightThrough = new StraightThrough();
    /// <summary><c>packaged</c>: y = f, the result of a package's formula, with the gradient of its author; f, x0,
    /// x1, .. -&gt; y of f's shape dx0, dx1, .. = the author's rule of x0, x1, .., y and dy; df = 0.</summary>
    public static readonly Op Packaged = new Packaged();
    /// <summary><c>uniform</c>: y = uniform in (0, 1): the same numbers wherever and whenever they are drawn -&gt;
    /// y A tensor of fixed shape has the number of (seed, stream, element); where the first dimension is the batch,
    /// it is that of (seed of the job, seed, stream; step, position of the sample in the epoch, element of the
    /// sample). no inputs, no gradient.</summary>
    public static readonly Op Uniform = new Uniform();

    // Losses.
    /// <summary><c>bce-with-logits</c>: y = -t ln σ(x) - (1 - t) ln(1 - σ(x)) without overflow; reduction: sum,
    /// none, or mean unless given; gradient: that of the operators it is written in.</summary>
    public static readonly Op BceWithLogits = new BceWithLogits();
    /// <summary><c>cosine-embedding-loss</c>: y = 1 - cos(a, b) where t is 1, max(0, cos(a, b) - margin) where t is
    /// -1; reduction: sum, none, or mean unless given; a_ND, b_ND, t_N; gradient: that of the operators it is
    /// written in.</summary>
    public static readonly Op CosineEmbeddingLoss = new CosineEmbeddingLoss();
    /// <summary><c>cosine-similarity</c>: y = Σ a b / max(|a| |b|, epsilon) over axis; a, b of one shape; gradient:
    /// that of the operators it is written in.</summary>
    public static readonly Op CosineSimilarity = new CosineSimilarity();
    /// <summary><c>cross-entropy-loss</c>: y = nll of log-softmax, smoothing: that share of the target is spread
    /// evenly over all classes; ignore: a class that does not count x_NC, targets_N (int32); reduction: sum, none,
    /// or mean unless given; gradient: that of the operators it is written in.</summary>
    public static readonly Op CrossEntropyLoss = new CrossEntropyLoss();
    /// <summary><c>ctc-loss</c>: y = -ln Σ over alignments π of Π_t p_t(π_t), the alignments that are the target
    /// once repeats are merged and blanks dropped (Graves et al. 2006, "Connectionist temporal classification", the
    /// forward recursion, in log space) x_TNC log-probabilities, targets_NS (int32, never the blank; any class past
    /// their length), input lengths_N (0 to T) and target lengths_N (0 to S), both int32 blank: its class, 0 unless
    /// given; zero-infinity: targets that no alignment fits cost 0 instead of infinity, and never have a gradient;
    /// reduction: sum, none, or mean unless given (of losses divided by their target length); gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op CtcLoss = new CtcLoss();
    /// <summary><c>hinge-loss</c>: y = max(0, margin - t x), t is 1 or -1; reduction: sum, none, or mean unless
    /// given; gradient: that of the operators it is written in.</summary>
    public static readonly Op HingeLoss = new HingeLoss();
    /// <summary><c>huber-loss</c>: y = d²/2 where |d| ≤ delta, else delta (|d| - delta/2), d = x - target;
    /// reduction: sum, none, or mean unless given; gradient: that of the operators it is written in.</summary>
    public static readonly Op HuberLoss = new HuberLoss();
    /// <summary><c>kl-div</c>: y = t (ln t - x), x log-probabilities, 0 where t is 0; reduction: sum, none, or mean
    /// unless given (batchmean: the sum over the first dimension's size); gradient: that of the operators it is
    /// written in.</summary>
    public static readonly Op KlDiv = new KlDiv();
    /// <summary><c>l1-loss</c>: y = |x - target|; reduction: sum, none, or mean unless given; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op L1Loss = new L1Loss();
    /// <summary><c>mse-loss</c>: y = (x - target)²; reduction: sum, none, or mean unless given; gradient: that of
    /// the operators it is written in.</summary>
    public static readonly Op MseLoss = new MseLoss();
    /// <summary><c>nll-loss</c>: y = -x[target], x_NC log-probabilities, targets_N (int32); ignore: a class that
    /// does not count; reduction: sum, none, or mean unless given; gradient: that of the operators it is written
    /// in.</summary>
    public static readonly Op NllLoss = new NllLoss();

    // Linear algebra.
    /// <summary><c>cholesky</c>: l lower with l lᵀ = (x + xᵀ) / 2, positive definite; x_..NN -&gt; l_..NN; dx = (s
    /// + sᵀ) / 2, s = l⁻ᵀ Φ(lᵀ dl) l⁻¹, Φ the lower part with half the diagonal (Murray 2016).</summary>
    public static readonly Op Cholesky = new Cholesky();
    /// <summary><c>cofactor</c>: y_ij = (-1)^(i+j) det of x without row i and column j, of the last two dimensions;
    /// x_..NN -&gt; y_..NN dx is a sum of minors of order N - 2: for N up to 8 by a recursion of products and
    /// traces, no division, so x may be singular (Faddeev and LeVerrier); beyond it (&lt;y, dy&gt; - y dyᵀ) x⁻ᵀ of
    /// a regular x, with the errors of inverse.</summary>
    public static readonly Op Cofactor = new Cofactor();
    /// <summary><c>determinant</c>: y = det x of the last two dimensions; x_..NN -&gt; y_.. dx = dy cofactor x,
    /// also where x is singular.</summary>
    public static readonly Op Determinant = new Determinant();
    /// <summary><c>eigh</c>: (x + xᵀ) / 2 = v diag(w) vᵀ, w ascending, columns of v orthonormal, the largest
    /// element of each positive x_..NN -&gt; w_..N, v_..NN; dx = sym(v (diag(dw) + F ∘ vᵀ dv) vᵀ), F_ij = 1 / (w_j
    /// - w_i) off the diagonal (Giles 2008).</summary>
    public static readonly Op Eigh = new Eigh();
    /// <summary><c>frobenius-norm</c>: y = √Σ x² over the last two dimensions; gradient: that of the operators it
    /// is written in.</summary>
    public static readonly Op FrobeniusNorm = new FrobeniusNorm();
    /// <summary><c>inverse</c>: y = x⁻¹ of the last two dimensions; x_..NN -&gt; y_..NN; dx = -yᵀ dy yᵀ.</summary>
    public static readonly Op Inverse = new Inverse();
    /// <summary><c>log-det</c>: y = ln det x of the last two dimensions, NaN where the determinant is negative;
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op LogDet = new LogDet();
    /// <summary><c>matrix-exp</c>: y = Σ xᵏ / k! of the last two dimensions; x_..NN -&gt; y_..NN; dx = the upper
    /// right block of exp [[xᵀ, dy], [0, xᵀ]] (Mathias 1996).</summary>
    public static readonly Op MatrixExp = new MatrixExp();
    /// <summary><c>matrix-log</c>: y = ln x of the last two dimensions, e^y = x, with eigenvalues in (-π, π) i;
    /// x_..NN -&gt; y_..NN; dx = the upper right block of ln [[xᵀ, dy], [0, xᵀ]] (Mathias 1996) A matrix with an
    /// eigenvalue on the negative real axis, or 0, has no such logarithm: NaN.</summary>
    public static readonly Op MatrixLog = new MatrixLog();
    /// <summary><c>nuclear-norm</c>: y = the sum of the singular values of the last two dimensions; gradient: that
    /// of the operators it is written in.</summary>
    public static readonly Op NuclearNorm = new NuclearNorm();
    /// <summary><c>qr</c>: x = q r, q with orthonormal columns, r upper with a positive diagonal; x_..MN, M ≥ N
    /// -&gt; q_..MN, r_..NN; dx = (dq + q sym) r⁻ᵀ, sym = the lower part of r drᵀ - dqᵀ q, mirrored (Walter and
    /// Lehmann 2012).</summary>
    public static readonly Op Qr = new Qr();
    /// <summary><c>sign-log-det</c>: sign and ln |det x| of the last two dimensions; 0 and -∞ when x is singular;
    /// x_..NN -&gt; sign_.., log_.. dx = d log x⁻ᵀ; the sign has no gradient.</summary>
    public static readonly Op SignLogDet = new SignLogDet();
    /// <summary><c>solve</c>: x with a x = b; a_..NN, b_..NK -&gt; x_..NK, or b_..N -&gt; x_..N; equal leading
    /// dimensions; db = a⁻ᵀ dx; da = -db xᵀ.</summary>
    public static readonly Op Solve = new Solve();
    /// <summary><c>spectral-norm</c>: y = the largest singular value of the last two dimensions; gradient: that of
    /// the operators it is written in.</summary>
    public static readonly Op SpectralNorm = new SpectralNorm();
    /// <summary><c>svd</c>: x = u diag(s) vᵀ, s descending, K = min(M, N), the largest element of each column of v
    /// (of u when M &lt; N) positive x_..MN -&gt; u_..MK, s_..K, v_..NK dx = u (F ∘ (uᵀdu - duᵀu) s + s F ∘ (vᵀdv -
    /// dvᵀv) + diag ds) vᵀ + (1 - uuᵀ) du s⁻¹ vᵀ + u s⁻¹ dvᵀ (1 - vvᵀ), F_ij = 1 / (s_j² - s_i²) off the diagonal
    /// (Townsend 2016).</summary>
    public static readonly Op Svd = new Svd();

    // Complex numbers, as pairs of real and imaginary part.
    /// <summary><c>complex-abs</c>: y = |z| without overflow; its gradient at 0 is 0; z -&gt; y, a real tensor;
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op ComplexAbs = new ComplexAbs();
    /// <summary><c>complex-add</c>: z = a + b; a, b -&gt; z, dimensions of size 1 repeated; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op ComplexAdd = new ComplexAdd();
    /// <summary><c>complex-angle</c>: y = the angle of z in radians, in (-π, π]; z -&gt; y, a real tensor;
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op ComplexAngle = new ComplexAngle();
    /// <summary><c>complex-conj</c>: y = the conjugate of z; z, y of one shape; gradient: that of the operators it
    /// is written in.</summary>
    public static readonly Op ComplexConj = new ComplexConj();
    /// <summary><c>complex-divide</c>: z = a / b = a conj(b) / |b|², with b brought near 1 first so that its square
    /// neither overflows nor vanishes a, b -&gt; z, dimensions of size 1 repeated; gradient: that of the operators
    /// it is written in.</summary>
    public static readonly Op ComplexDivide = new ComplexDivide();
    /// <summary><c>complex-exp</c>: y = e^z = e^re (cos im + i sin im); z, y of one shape; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op ComplexExp = new ComplexExp();
    /// <summary><c>complex-imag</c>: y = the imaginary part of z; z -&gt; y, a real tensor; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op ComplexImag = new ComplexImag();
    /// <summary><c>complex-log</c>: y = ln |z| + i angle(z), the principal value; z, y of one shape; gradient: that
    /// of the operators it is written in.</summary>
    public static readonly Op ComplexLog = new ComplexLog();
    /// <summary><c>complex-matmul</c>: z = a b; a_..MK, b_..KN -&gt; z_..MN, leading dimensions repeated where 1;
    /// gradient: that of the operators it is written in.</summary>
    public static readonly Op ComplexMatMul = new ComplexMatMul();
    /// <summary><c>complex-multiply</c>: z = a b; a, b -&gt; z, dimensions of size 1 repeated; gradient: that of
    /// the operators it is written in.</summary>
    public static readonly Op ComplexMultiply = new ComplexMultiply();
    /// <summary><c>complex-real</c>: y = the real part of z; z -&gt; y, a real tensor; gradient: that of the
    /// operators it is written in.</summary>
    public static readonly Op ComplexReal = new ComplexReal();
    /// <summary><c>complex-sqrt</c>: y = √z = √|z| (cos + i sin) of half the angle, the principal value; z, y of
    /// one shape; gradient: that of the operators it is written in.</summary>
    public static readonly Op ComplexSqrt = new ComplexSqrt();
    /// <summary><c>complex-pow</c>: z = a^b = e^(b ln a), the principal value; a is not 0; a, b -&gt; z, dimensions
    /// of size 1 repeated; gradient: that of the operators it is written in.</summary>
    public static readonly Op ComplexPow = new ComplexPow();
    /// <summary><c>complex-subtract</c>: z = a - b; a, b -&gt; z, dimensions of size 1 repeated; gradient: that of
    /// the operators it is written in.</summary>
    public static readonly Op ComplexSubtract = new ComplexSubtract();

    /// <summary>All of them; the conformance tests run over this list.</summary>
    public static readonly ImmutableArray<Op> All =
    [
        Input, Parameter, Full, Eye,
        Add, Subtract, Multiply, Divide, Negate, Maximum, Minimum, Pow, PowScalar, Equal, Less, Greater, LessEqual,
        GreaterEqual, Relu, ReluGrad, Sigmoid, SigmoidGrad, OneMinus, Tanh, TanhGrad, Exp, Log, Abs, Sqrt, Square,
        Softplus, LeakyRelu, Elu, Silu, Mish, Gelu, GeluGrad, GeluTanh, HardSigmoid, HardSwish,
        Sum, Mean, Max, Min, Product, Reshape, Transpose, BroadcastTo, Slice, SliceGrad, Concat, Diagonal,
        DiagonalEmbed,
        MatMul, Linear, Einsum, Conv2d, Conv2dGradInput, Conv2dGradWeight,
        MaxPool2d, MaxPool2dGrad, PlaneGather, AvgPool2d, AvgPool2dGrad, Embedding, EmbeddingGrad, Softmax,
        SoftmaxGrad, LogSoftmax, LogSoftmaxGrad, LayerNorm, LayerNormGradInput, LayerNormGradGain, Attention,
        AttentionGrad, CrossEntropy, CrossEntropyGrad, Correct,
        Acos, Acosh, Asin, Asinh, Atan, Atan2, Atanh, Cbrt, Ceil, Celu, Clamp, Cos, Cosh, Erf, Expm1, Floor,
        HardTanh, Hypot, Lgamma, Log1p, Log2, LogAddExp, LogSigmoid, MaskedFill, NotEqual, Polygamma, Reciprocal,
        Relu6, Round, Rsqrt, Selu, Sign, Sin, Sinh, Softsign, StopGradient, Tan, Where,
        AndMin, AndProb, Exists, ExistsProb, ExistsSmooth, ForAll, ForAllProb, ForAllSmooth, Implies, Nand, Nor,
        OrMax, OrProbSum, Xor, AndSmooth, OrSmooth, NandSmooth, NorSmooth, XorSmooth, ImpliesSmooth, ExistsWeighted,
        ForAllWeighted, WeightedMean, LogNot, LogExists, LogForAll,
        AllOf, Any, ArgMax, ArgMin, CumProd, CumSum, LogSumExp, Norm, Recurrence, Std, Variance,
        Diag, Flip, Iota, Kron, Meshgrid, Pad, Permute, Roll, Split, Squeeze, Stack, Tile, Trace, Tril, Triu,
        Unsqueeze,
        Gather, IndexAdd, IndexSelect, Mark, OneHot, Replace, ScatterAdd, Sort, TopK,
        AdaptiveAvgPool, AdaptiveMaxPool, Conv1d, Conv2dAny, Conv3d, ConvTranspose1d, ConvTranspose2d,
        ConvTranspose3d, Fold, Interpolate, MaxPoolNd, AvgPoolNd, Resample, Unfold,
        BatchNorm, Dropout, GroupNorm, Gru, GruCell, GumbelSoftmax, InstanceNorm, LayerNormAny, Lstm, LstmCell,
        RmsNorm, ScaledDotProduct, SliceMean, Statistic, DropoutMask, StraightThrough, Packaged,
        Uniform,
        BceWithLogits, CosineEmbeddingLoss, CosineSimilarity, CrossEntropyLoss, CtcLoss, HingeLoss, HuberLoss,
        KlDiv, L1Loss, MseLoss, NllLoss,
        Cholesky, Cofactor, Determinant, Eigh, FrobeniusNorm, Inverse, LogDet, MatrixExp, MatrixLog, NuclearNorm, Qr,
        SignLogDet, Solve,
        SpectralNorm, Svd,
        ComplexAbs, ComplexAdd, ComplexAngle, ComplexConj, ComplexDivide, ComplexExp, ComplexImag, ComplexLog,
        ComplexMatMul, ComplexMultiply, ComplexPow, ComplexReal, ComplexSqrt, ComplexSubtract,
    ];

    private static readonly FrozenDictionary<string, Op> ByName =
        All.ToFrozenDictionary(op => op.Name, StringComparer.Ordinal);

    /// <summary>The operator of a name, or null.</summary>
    public static Op? Find(string name) => ByName.GetValueOrDefault(name);
}
