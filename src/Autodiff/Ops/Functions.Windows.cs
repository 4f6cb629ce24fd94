using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// Operators as methods of values: convolutions, pooling and resampling over one to three dimensions. Settings are one
// number or one for each dimension (PerAxis).
public static partial class Functions
{
    /// <summary>Convolution along one dimension: x_NCL with w_FCK (C per group) and a bias per channel to y_NFP,
    /// P = (L + 2 padding - dilation (K - 1) - 1) / stride + 1, rounded down.</summary>
    /// <exception cref="ShapeException">A window does not fit, or channels do not fit the groups.</exception>
    public static Value Conv1d(
        this Value x, Value w, Value? bias = null, int stride = 1, int padding = 0, int dilation = 1, int groups = 1) =>
        Convolved(OpTable.Conv1d, x, w, bias, Windows(stride, padding, dilation, groups));

    /// <summary>Convolution of x_NCHW with w_FCIJ (C per group) and a bias per channel to y_NFhw, with settings of
    /// their own for height and width; h = (H + 2 padding - dilation (I - 1) - 1) / stride + 1, rounded down.</summary>
    /// <exception cref="ShapeException">A window does not fit, or channels do not fit the groups.</exception>
    public static Value Conv2d(
        this Value x, Value w, Value? bias, PerAxis stride, PerAxis padding = default, PerAxis dilation = default,
        int groups = 1) =>
        Convolved(OpTable.Conv2dAny, x, w, bias, Windows(stride, padding, dilation, groups));

    /// <summary>Convolution of volumes: x_NCDHW with w_FCIJK (C per group) and a bias per channel to y_NFdhw; sizes
    /// as those of <see cref="Conv1d"/>, dimension by dimension.</summary>
    /// <exception cref="ShapeException">A window does not fit, or channels do not fit the groups.</exception>
    public static Value Conv3d(
        this Value x, Value w, Value? bias = null, PerAxis stride = default, PerAxis padding = default,
        PerAxis dilation = default, int groups = 1) =>
        Convolved(OpTable.Conv3d, x, w, bias, Windows(stride, padding, dilation, groups));

    /// <summary>The transposed convolution, adjoint of <see cref="Conv1d"/> with the same weight: x_NCL, w_CFK (F per
    /// group), a bias per channel, to y_NFM, M = (L - 1) stride - 2 padding + dilation (K - 1) + outputPadding +
    /// 1.</summary>
    /// <param name="outputPadding">Places added at the end, fewer than the stride or the dilation: which of the sizes
    /// that a strided convolution maps to L is meant.</param>
    public static Value ConvTranspose1d(
        this Value x, Value w, Value? bias = null, int stride = 1, int padding = 0, int outputPadding = 0,
        int dilation = 1, int groups = 1) =>
        Convolved(OpTable.ConvTranspose1d, x, w, bias,
            Windows(stride, padding, dilation, groups).With("output_padding", outputPadding));

    /// <summary>The transposed convolution of x_NCHW with w_CFIJ (F per group) and a bias per channel; sizes as those
    /// of <see cref="ConvTranspose1d"/>, dimension by dimension.</summary>
    /// <param name="outputPadding">Places added at the end, fewer than the stride or the dilation.</param>
    public static Value ConvTranspose2d(
        this Value x, Value w, Value? bias = null, PerAxis stride = default, PerAxis padding = default,
        PerAxis outputPadding = default, PerAxis dilation = default, int groups = 1) =>
        Convolved(OpTable.ConvTranspose2d, x, w, bias,
            outputPadding.To(Windows(stride, padding, dilation, groups), "output_padding"));

    /// <summary>The transposed convolution of x_NCDHW with w_CFIJK (F per group) and a bias per channel; sizes as those
    /// of <see cref="ConvTranspose1d"/>, dimension by dimension.</summary>
    /// <param name="outputPadding">Places added at the end, fewer than the stride or the dilation.</param>
    public static Value ConvTranspose3d(
        this Value x, Value w, Value? bias = null, PerAxis stride = default, PerAxis padding = default,
        PerAxis outputPadding = default, PerAxis dilation = default, int groups = 1) =>
        Convolved(OpTable.ConvTranspose3d, x, w, bias,
            outputPadding.To(Windows(stride, padding, dilation, groups), "output_padding"));

    /// <summary>The largest of each window of x_NC(sizes), over one, two or three dimensions and more; a size n becomes
    /// (n + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down.</summary>
    /// <param name="stride">The kernel, unless given.</param>
    /// <param name="padding">Of -∞, on each side; at most half of the kernel.</param>
    /// <param name="ties">Who gets the gradient of equals: "first" in row order, "last", or "share", all of them
    /// evenly.</param>
    public static Value MaxPool(
        this Value x, PerAxis kernel, PerAxis stride = default, PerAxis padding = default, PerAxis dilation = default,
        string ties = "first") =>
        x.Apply(OpTable.MaxPoolNd,
            kernel.To(dilation.To(Windows(stride, padding, default, 1), "dilation"), "kernel")
                .With(Ties.Attribute, ties));

    /// <summary>The mean of each window of x_NC(sizes), padding counted as zeros; sizes as those of
    /// <see cref="MaxPool"/>.</summary>
    /// <param name="stride">The kernel, unless given.</param>
    /// <param name="padding">Of 0, on each side; at most half of the kernel.</param>
    public static Value AvgPool(this Value x, PerAxis kernel, PerAxis stride = default, PerAxis padding = default) =>
        x.Apply(OpTable.AvgPoolNd, kernel.To(Windows(stride, padding, default, 1), "kernel"));

    /// <summary>x_NC(sizes) pooled by means to y_NC(output): place i of m covers the elements floor(i n / m) to
    /// ceil((i + 1) n / m) - 1 of n.</summary>
    public static Value AdaptiveAvgPool(this Value x, PerAxis output) =>
        x.Apply(OpTable.AdaptiveAvgPool, output.To(Attributes.None, "output"));

    /// <summary>The same by the largest element; of equals the first in row order has the gradient.</summary>
    public static Value AdaptiveMaxPool(this Value x, PerAxis output) =>
        x.Apply(OpTable.AdaptiveMaxPool, output.To(Attributes.None, "output"));

    /// <summary>x_NC(sizes) resampled to y_NC(output).</summary>
    /// <param name="mode">"nearest" repeats or leaves out elements; "linear" goes straight between their
    /// centres.</param>
    public static Value Interpolate(this Value x, PerAxis output, string mode = "nearest") =>
        x.Apply(OpTable.Interpolate, output.To(Attributes.Of("mode", mode), "output"));

    private static Value Convolved(Op op, Value x, Value w, Value? bias, Attributes attributes) =>
        bias is null ? x.Apply(op, attributes, w) : x.Apply(op, attributes, w, bias);

    private static Attributes Windows(PerAxis stride, PerAxis padding, PerAxis dilation, int groups)
    {
        var attributes = dilation.To(padding.To(stride.To(Attributes.None, "stride"), "padding"), "dilation");
        return groups == 1 ? attributes : attributes.With("groups", groups);
    }
}
