using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Convoy.Autodiff.Ops;

/// <summary>The operators there are. Names are part of the format of graphs: never reused, never renamed.</summary>
public static class OpTable
{
    // Leaves.
    public static readonly Op Input = new Input();
    public static readonly Op Parameter = new Parameter();
    public static readonly Op Full = new Full();
    public static readonly Op Eye = new Eye();

    // Element by element.
    public static readonly Op Add = new Add();
    public static readonly Op Subtract = new Subtract();
    public static readonly Op Multiply = new Multiply();
    public static readonly Op Divide = new Divide();
    public static readonly Op Negate = new Negate();
    public static readonly Op Maximum = new Maximum();
    public static readonly Op Minimum = new Minimum();
    public static readonly Op Pow = new Pow();
    public static readonly Op PowScalar = new PowScalar();
    public static readonly Op Equal = new Equal();
    public static readonly Op Less = new Less();
    public static readonly Op Greater = new Greater();
    public static readonly Op LessEqual = new LessEqual();
    public static readonly Op GreaterEqual = new GreaterEqual();
    public static readonly Op Relu = new Relu();
    public static readonly Op ReluGrad = new ReluGrad();
    public static readonly Op Sigmoid = new Sigmoid();
    public static readonly Op SigmoidGrad = new SigmoidGrad();
    public static readonly Op OneMinus = new OneMinus();
    public static readonly Op Tanh = new Tanh();
    public static readonly Op TanhGrad = new TanhGrad();
    public static readonly Op Exp = new Exp();
    public static readonly Op Log = new Log();
    public static readonly Op Abs = new Abs();
    public static readonly Op Sqrt = new Sqrt();
    public static readonly Op Square = new Square();
    public static readonly Op Softplus = new Softplus();
    public static readonly Op LeakyRelu = new LeakyRelu();
    public static readonly Op Elu = new Elu();
    public static readonly Op Silu = new Silu();
    public static readonly Op Mish = new Mish();
    public static readonly Op Gelu = new Gelu();
    public static readonly Op GeluGrad = new GeluGrad();
    public static readonly Op GeluTanh = new GeluTanh();
    public static readonly Op HardSigmoid = new HardSigmoid();
    public static readonly Op HardSwish = new HardSwish();

    // Reductions and shapes.
    public static readonly Op Sum = new Sum();
    public static readonly Op Mean = new Mean();
    public static readonly Op Max = new Max();
    public static readonly Op Min = new Min();
    public static readonly Op Product = new Product();
    public static readonly Op Reshape = new Reshape();
    public static readonly Op Transpose = new Transpose();
    public static readonly Op BroadcastTo = new BroadcastTo();
    public static readonly Op Slice = new Slice();
    public static readonly Op SliceGrad = new SliceGrad();
    public static readonly Op Concat = new Concat();
    public static readonly Op Diagonal = new Diagonal();
    public static readonly Op DiagonalEmbed = new DiagonalEmbed();

    // Contractions.
    public static readonly Op MatMul = new MatMul();
    public static readonly Op Linear = new Linear();
    public static readonly Op Einsum = new Einsum();
    public static readonly Op Conv2d = new Conv2d();
    public static readonly Op Conv2dGradInput = new Conv2dGradInput();
    public static readonly Op Conv2dGradWeight = new Conv2dGradWeight();

    // Layers and losses.
    public static readonly Op MaxPool2d = new MaxPool2d();
    public static readonly Op MaxPool2dGrad = new MaxPool2dGrad();
    public static readonly Op PlaneGather = new PlaneGather();
    public static readonly Op AvgPool2d = new AvgPool2d();
    public static readonly Op AvgPool2dGrad = new AvgPool2dGrad();
    public static readonly Op Embedding = new Embedding();
    public static readonly Op EmbeddingGrad = new EmbeddingGrad();
    public static readonly Op Softmax = new Softmax();
    public static readonly Op SoftmaxGrad = new SoftmaxGrad();
    public static readonly Op LogSoftmax = new LogSoftmax();
    public static readonly Op LogSoftmaxGrad = new LogSoftmaxGrad();
    public static readonly Op LayerNorm = new LayerNorm();
    public static readonly Op LayerNormGradInput = new LayerNormGradInput();
    public static readonly Op LayerNormGradGain = new LayerNormGradGain();
    public static readonly Op Attention = new Attention();
    public static readonly Op AttentionGrad = new AttentionGrad();
    public static readonly Op CrossEntropy = new CrossEntropy();
    public static readonly Op CrossEntropyGrad = new CrossEntropyGrad();
    public static readonly Op Correct = new Correct();

    // Element by element, more of them.
    public static readonly Op Acos = new Acos();
    public static readonly Op Acosh = new Acosh();
    public static readonly Op Asin = new Asin();
    public static readonly Op Asinh = new Asinh();
    public static readonly Op Atan = new Atan();
    public static readonly Op Atan2 = new Atan2();
    public static readonly Op Atanh = new Atanh();
    public static readonly Op Cbrt = new Cbrt();
    public static readonly Op Ceil = new Ceil();
    public static readonly Op Celu = new Celu();
    public static readonly Op Clamp = new Clamp();
    public static readonly Op Cos = new Cos();
    public static readonly Op Cosh = new Cosh();
    public static readonly Op Erf = new Erf();
    public static readonly Op Expm1 = new Expm1();
    public static readonly Op Floor = new Floor();
    public static readonly Op HardTanh = new HardTanh();
    public static readonly Op Hypot = new Hypot();
    public static readonly Op Lgamma = new Lgamma();
    public static readonly Op Log1p = new Log1p();
    public static readonly Op Log2 = new Log2();
    public static readonly Op LogAddExp = new LogAddExp();
    public static readonly Op LogSigmoid = new LogSigmoid();
    public static readonly Op MaskedFill = new MaskedFill();
    public static readonly Op NotEqual = new NotEqual();
    public static readonly Op Polygamma = new Polygamma();
    public static readonly Op Reciprocal = new Reciprocal();
    public static readonly Op Relu6 = new Relu6();
    public static readonly Op Round = new Round();
    public static readonly Op Rsqrt = new Rsqrt();
    public static readonly Op Selu = new Selu();
    public static readonly Op Sign = new Sign();
    public static readonly Op Sin = new Sin();
    public static readonly Op Sinh = new Sinh();
    public static readonly Op Softsign = new Softsign();
    public static readonly Op StopGradient = new StopGradient();
    public static readonly Op Tan = new Tan();
    public static readonly Op Where = new Where();

    // Soft logic.
    public static readonly Op AndMin = new AndMin();
    public static readonly Op AndProb = new AndProb();
    public static readonly Op Exists = new Exists();
    public static readonly Op ExistsProb = new ExistsProb();
    public static readonly Op ExistsSmooth = new ExistsSmooth();
    public static readonly Op ForAll = new ForAll();
    public static readonly Op ForAllProb = new ForAllProb();
    public static readonly Op ForAllSmooth = new ForAllSmooth();
    public static readonly Op Implies = new Implies();
    public static readonly Op Nand = new Nand();
    public static readonly Op Nor = new Nor();
    public static readonly Op OrMax = new OrMax();
    public static readonly Op OrProbSum = new OrProbSum();
    public static readonly Op Xor = new Xor();
    public static readonly Op AndSmooth = new AndSmooth();
    public static readonly Op OrSmooth = new OrSmooth();
    public static readonly Op NandSmooth = new NandSmooth();
    public static readonly Op NorSmooth = new NorSmooth();
    public static readonly Op XorSmooth = new XorSmooth();
    public static readonly Op ImpliesSmooth = new ImpliesSmooth();
    public static readonly Op ExistsWeighted = new ExistsWeighted();
    public static readonly Op ForAllWeighted = new ForAllWeighted();
    public static readonly Op WeightedMean = new WeightedMean();
    public static readonly Op LogNot = new LogNot();
    public static readonly Op LogExists = new LogExists();
    public static readonly Op LogForAll = new LogForAll();

    // Reductions and scans.
    public static readonly Op AllOf = new AllOf();
    public static readonly Op Any = new Any();
    public static readonly Op ArgMax = new ArgMax();
    public static readonly Op ArgMin = new ArgMin();
    public static readonly Op CumProd = new CumProd();
    public static readonly Op CumSum = new CumSum();
    public static readonly Op LogSumExp = new LogSumExp();
    public static readonly Op Norm = new Norm();
    public static readonly Op Std = new Std();
    public static readonly Op Variance = new Variance();

    // Shapes.
    public static readonly Op Diag = new Diag();
    public static readonly Op Flip = new Flip();
    public static readonly Op Iota = new Iota();
    public static readonly Op Kron = new Kron();
    public static readonly Op Meshgrid = new Meshgrid();
    public static readonly Op Pad = new Pad();
    public static readonly Op Permute = new Permute();
    public static readonly Op Roll = new Roll();
    public static readonly Op Split = new Split();
    public static readonly Op Squeeze = new Squeeze();
    public static readonly Op Stack = new Stack();
    public static readonly Op Tile = new Tile();
    public static readonly Op Trace = new Trace();
    public static readonly Op Tril = new Tril();
    public static readonly Op Triu = new Triu();
    public static readonly Op Unsqueeze = new Unsqueeze();

    // Indices.
    public static readonly Op Gather = new Gather();
    public static readonly Op IndexAdd = new IndexAdd();
    public static readonly Op IndexSelect = new IndexSelect();
    public static readonly Op Mark = new Mark();
    public static readonly Op OneHot = new OneHot();
    public static readonly Op Replace = new Replace();
    public static readonly Op ScatterAdd = new ScatterAdd();
    public static readonly Op Sort = new Sort();
    public static readonly Op TopK = new TopK();

    // Windows.
    public static readonly Op AdaptiveAvgPool = new AdaptiveAvgPool();
    public static readonly Op AdaptiveMaxPool = new AdaptiveMaxPool();
    public static readonly Op Conv1d = new Conv1d();
    public static readonly Op Conv2dAny = new Conv2dAny();
    public static readonly Op Conv3d = new Conv3d();
    public static readonly Op ConvTranspose1d = new ConvTranspose1d();
    public static readonly Op ConvTranspose2d = new ConvTranspose2d();
    public static readonly Op ConvTranspose3d = new ConvTranspose3d();
    public static readonly Op Fold = new Fold();
    public static readonly Op Interpolate = new Interpolate();
    public static readonly Op MaxPoolNd = new MaxPoolNd();
    public static readonly Op AvgPoolNd = new AvgPoolNd();
    public static readonly Op Resample = new Resample();
    public static readonly Op Unfold = new Unfold();

    // Layers.
    public static readonly Op BatchNorm = new BatchNorm();
    public static readonly Op Dropout = new Dropout();
    public static readonly Op DropoutMask = new DropoutMask();
    public static readonly Op GroupNorm = new GroupNorm();
    public static readonly Op Gru = new Gru();
    public static readonly Op GruCell = new GruCell();
    public static readonly Op GumbelSoftmax = new GumbelSoftmax();
    public static readonly Op InstanceNorm = new InstanceNorm();
    public static readonly Op LayerNormAny = new LayerNormAny();
    public static readonly Op Lstm = new Lstm();
    public static readonly Op LstmCell = new LstmCell();
    public static readonly Op RmsNorm = new RmsNorm();
    public static readonly Op ScaledDotProduct = new ScaledDotProduct();
    public static readonly Op SliceMean = new SliceMean();
    public static readonly Op Statistic = new Statistic();
    public static readonly Op StraightThrough = new StraightThrough();
    public static readonly Op Uniform = new Uniform();

    // Losses.
    public static readonly Op BceWithLogits = new BceWithLogits();
    public static readonly Op CosineEmbeddingLoss = new CosineEmbeddingLoss();
    public static readonly Op CosineSimilarity = new CosineSimilarity();
    public static readonly Op CrossEntropyLoss = new CrossEntropyLoss();
    public static readonly Op CtcLoss = new CtcLoss();
    public static readonly Op HingeLoss = new HingeLoss();
    public static readonly Op HuberLoss = new HuberLoss();
    public static readonly Op KlDiv = new KlDiv();
    public static readonly Op L1Loss = new L1Loss();
    public static readonly Op MseLoss = new MseLoss();
    public static readonly Op NllLoss = new NllLoss();

    // Linear algebra.
    public static readonly Op Cholesky = new Cholesky();
    public static readonly Op Determinant = new Determinant();
    public static readonly Op Eigh = new Eigh();
    public static readonly Op FrobeniusNorm = new FrobeniusNorm();
    public static readonly Op Inverse = new Inverse();
    public static readonly Op LogDet = new LogDet();
    public static readonly Op MatrixExp = new MatrixExp();
    public static readonly Op MatrixLog = new MatrixLog();
    public static readonly Op NuclearNorm = new NuclearNorm();
    public static readonly Op Qr = new Qr();
    public static readonly Op SignLogDet = new SignLogDet();
    public static readonly Op Solve = new Solve();
    public static readonly Op SpectralNorm = new SpectralNorm();
    public static readonly Op Svd = new Svd();

    // Complex numbers, as pairs of real and imaginary part.
    public static readonly Op ComplexAbs = new ComplexAbs();
    public static readonly Op ComplexAdd = new ComplexAdd();
    public static readonly Op ComplexAngle = new ComplexAngle();
    public static readonly Op ComplexConj = new ComplexConj();
    public static readonly Op ComplexDivide = new ComplexDivide();
    public static readonly Op ComplexExp = new ComplexExp();
    public static readonly Op ComplexImag = new ComplexImag();
    public static readonly Op ComplexLog = new ComplexLog();
    public static readonly Op ComplexMatMul = new ComplexMatMul();
    public static readonly Op ComplexMultiply = new ComplexMultiply();
    public static readonly Op ComplexReal = new ComplexReal();
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
        AllOf, Any, ArgMax, ArgMin, CumProd, CumSum, LogSumExp, Norm, Std, Variance,
        Diag, Flip, Iota, Kron, Meshgrid, Pad, Permute, Roll, Split, Squeeze, Stack, Tile, Trace, Tril, Triu,
        Unsqueeze,
        Gather, IndexAdd, IndexSelect, Mark, OneHot, Replace, ScatterAdd, Sort, TopK,
        AdaptiveAvgPool, AdaptiveMaxPool, Conv1d, Conv2dAny, Conv3d, ConvTranspose1d, ConvTranspose2d,
        ConvTranspose3d, Fold, Interpolate, MaxPoolNd, AvgPoolNd, Resample, Unfold,
        BatchNorm, Dropout, GroupNorm, Gru, GruCell, GumbelSoftmax, InstanceNorm, LayerNormAny, Lstm, LstmCell,
        RmsNorm, ScaledDotProduct, SliceMean, Statistic, DropoutMask, StraightThrough, Uniform,
        BceWithLogits, CosineEmbeddingLoss, CosineSimilarity, CrossEntropyLoss, CtcLoss, HingeLoss, HuberLoss,
        KlDiv, L1Loss, MseLoss, NllLoss,
        Cholesky, Determinant, Eigh, FrobeniusNorm, Inverse, LogDet, MatrixExp, MatrixLog, NuclearNorm, Qr,
        SignLogDet, Solve,
        SpectralNorm, Svd,
        ComplexAbs, ComplexAdd, ComplexAngle, ComplexConj, ComplexDivide, ComplexExp, ComplexImag, ComplexLog,
        ComplexMatMul, ComplexMultiply, ComplexReal, ComplexSubtract,
    ];

    private static readonly FrozenDictionary<string, Op> ByName =
        All.ToFrozenDictionary(op => op.Name, StringComparer.Ordinal);

    public static Op? Find(string name) => ByName.GetValueOrDefault(name);
}
