using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// Operators as methods of values: what layers and losses are made of.
public static partial class Functions
{
    /// <summary>What the normalizing layers add to the variance unless they are told otherwise.</summary>
    public const double LayerNormEpsilon = 1e-5;

    /// <summary>Convolution of x_NCHW with w_FCIJ (C per group) and a bias per channel.</summary>
    public static Value Conv2d(
        this Value x, Value w, Value? bias = null, int stride = 1, int padding = 0, int dilation = 1, int groups = 1)
    {
        var attributes = Attributes.Of("stride", stride, "padding", padding);
        if (dilation != 1) attributes = attributes.With("dilation", dilation);
        if (groups != 1) attributes = attributes.With("groups", groups);
        return bias is null ? x.Apply(OpTable.Conv2d, attributes, w) : x.Apply(OpTable.Conv2d, attributes, w, bias);
    }

    /// <summary>The largest of each window: x_NCHW to y_NChw with h = (H + 2 padding - kernel) / stride + 1, rounded
    /// down.</summary>
    /// <param name="kernel">Side of the window, in pixels.</param>
    /// <param name="stride">In pixels; 0 means the side of the window.</param>
    /// <param name="padding">In pixels, of -∞, on each side.</param>
    /// <param name="ties">Who gets the gradient of equals: "first" in row order, "last", or "share", all of them
    /// evenly.</param>
    public static Value MaxPool2d(this Value x, int kernel, int stride = 0, int padding = 0, string ties = "first") =>
        ties == "first" ? x.Apply(OpTable.MaxPool2d, Window(kernel, stride, padding))
        : x.Apply(OpTable.MaxPoolNd, Attributes.Of("kernel", kernel, "stride", stride == 0 ? kernel : stride)
            .With("padding", padding).With(Ties.Attribute, ties));

    /// <summary>The mean of each window, padding counted as zeros: x_NCHW to y_NChw with h = (H + 2 padding - kernel)
    /// / stride + 1, rounded down.</summary>
    /// <param name="kernel">Side of the window, in pixels.</param>
    /// <param name="stride">In pixels; 0 means the side of the window.</param>
    /// <param name="padding">In pixels, of 0, on each side.</param>
    public static Value AvgPool2d(this Value x, int kernel, int stride = 0, int padding = 0) =>
        x.Apply(OpTable.AvgPool2d, Window(kernel, stride, padding));

    /// <summary>Rows of the table w_VD by number.</summary>
    public static Value Embedding(this Value w, Value ids) => w.Apply(OpTable.Embedding, ids);

    /// <summary>e^x / Σ e^x over one axis, the largest element taken out first: positive, sum 1. The shape of
    /// x.</summary>
    public static Value Softmax(this Value x, int axis = -1) => OverLast(OpTable.Softmax, x, axis);

    /// <summary>x - ln Σ e^x over one axis: the logarithm of <see cref="Softmax"/>, finite where that rounds to
    /// 0.</summary>
    public static Value LogSoftmax(this Value x, int axis = -1) => OverLast(OpTable.LogSoftmax, x, axis);

    /// <summary>(x - mean) / √(variance + epsilon) gain + bias over the last dimension: x_..D, gain_D, bias_D to
    /// y_..D, variance divided by D (Ba and others 2016).</summary>
    public static Value LayerNorm(
        this Value x, Value gain, Value bias, double epsilon = LayerNormEpsilon) =>
        x.Apply(OpTable.LayerNorm, Attributes.Of("epsilon", epsilon), gain, bias);

    /// <summary>Attention of H heads over qkv_NT(3D): columns q, k, v one after the other. Returns y_NTD.</summary>
    public static Value Attention(this Value qkv, int heads, bool causal) =>
        qkv.Apply(OpTable.Attention, Attributes.Of("heads", heads, "causal", causal));

    /// <summary>-ln softmax(x)[target] of each row; sum it for the loss of the batch. A target that is no class, such
    /// as -1, costs nothing: <see cref="CrossEntropyLoss"/> refuses it.</summary>
    public static Value CrossEntropy(this Value logits, Value targets) => logits.Apply(OpTable.CrossEntropy, targets);

    /// <summary>
    /// Connectionist temporal classification: the loss of targets_NS (int32, S labels at most, never the blank) under
    /// log-probabilities x_TNC, summed over all alignments of the first <paramref name="inputLengths"/>_N time steps
    /// with the first <paramref name="targetLengths"/>_N labels (both int32). A target that no alignment fits costs
    /// infinity, or 0 with <paramref name="zeroInfinity"/>; its gradient is 0 either way.
    /// Graves et al. 2006, "Connectionist temporal classification", the forward recursion in log space.
    /// </summary>
    /// <param name="reduction">mean (of losses divided by their target length), sum, or none.</param>
    public static Value CtcLoss(
        this Value logProbabilities, Value targets, Value inputLengths, Value targetLengths, int blank = 0,
        string reduction = "mean", bool zeroInfinity = false) =>
        logProbabilities.Apply(OpTable.CtcLoss,
            Attributes.Of("blank", blank, "reduction", reduction).With("zero-infinity", zeroInfinity),
            targets, inputLengths, targetLengths);

    /// <summary>The squared error of each element; sum it for the loss of the batch.</summary>
    public static Value SquaredError(this Value x, Value target) => (x - target).Square();

    /// <summary>1 for each row whose largest logit is the target, else 0.</summary>
    public static Value Correct(this Value logits, Value targets) => logits.Apply(OpTable.Correct, targets);

    private static Attributes Window(int kernel, int stride, int padding)
    {
        var attributes = Attributes.Of("kernel", kernel, "stride", stride == 0 ? kernel : stride);
        return padding == 0 ? attributes : attributes.With("padding", padding);
    }

    private static Value OverLast(Op op, Value x, int axis)
    {
        // A number by itself is a list of one.
        if (x.Type.Rank == 0 && axis is 0 or -1) return x.Reshape(1).Apply(op).Reshape();
        var (rank, at) = (x.Type.Rank, Axes.One(axis, x.Type, op.Name));
        if (at == rank - 1) return x.Apply(op);
        int[] order = [.. Enumerable.Range(0, rank)];
        (order[at], order[^1]) = (order[^1], order[at]);
        return x.Transpose(order).Apply(op).Transpose(order);
    }
}
