using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Samples of windows: convolutions, pools, resampling.
internal static partial class OpSamples
{
    private static Attributes Window(int[] kernel, int[] stride, int[] padding, int[] dilation) => Attributes
        .Of("kernel", kernel, "stride", stride).With("padding", padding).With("dilation", dilation);

    private static IEnumerable<OpSample> Windows()
    {
        var window = Window([3, 2], [2, 1], [1, 0], [1, 2]);
        yield return new OpSample(OpTable.Unfold, window, [Normal(2, 2, 5, 5)]);
        yield return new OpSample(OpTable.Unfold, window.With("value", -0.5), [Normal(1, 2, 4, 5)]);
        yield return new OpSample(OpTable.Fold, window.With("sizes", new[] { 5, 5 }), [Normal(2, 2, 6, 9)]);
        foreach (var mode in new[] { "nearest", "linear" })
        {
            var resample = Attributes.Of("axis", 1, "size", 5).With("mode", mode);
            yield return new OpSample(OpTable.Resample, resample, [Normal(2, 3, 2)]);
            yield return new OpSample(OpTable.Interpolate, Attributes.Of("output", new[] { 6, 4 }, "mode", mode),
                [Normal(1, 2, 3, 3)]);
        }

        var strided = Attributes.Of("stride", 2, "padding", 1);
        yield return new OpSample(OpTable.Conv1d, strided, [Normal(2, 3, 7), Normal(4, 3, 3), Normal(4)]);
        yield return new OpSample(OpTable.Conv1d, Attributes.Of("groups", 2, "dilation", 2),
            [Normal(1, 4, 6), Normal(2, 2, 2)]);
        var uneven = Attributes.Of("stride", new[] { 2, 1 }, "padding", new[] { 1, 0 });
        yield return new OpSample(OpTable.Conv2dAny, uneven, [Normal(2, 2, 5, 4), Normal(3, 2, 3, 2), Normal(3)]);
        yield return new OpSample(OpTable.Conv3d, Attributes.Of("padding", 1),
            [Normal(1, 2, 3, 2, 3), Normal(2, 2, 2, 2, 2), Normal(2)]);
        yield return new OpSample(OpTable.ConvTranspose1d, strided.With("output_padding", 1),
            [Normal(2, 3, 4), Normal(3, 2, 3), Normal(2)]);
        yield return new OpSample(OpTable.ConvTranspose2d, uneven.With("groups", 2),
            [Normal(1, 4, 3, 3), Normal(4, 2, 3, 2), Normal(4)]);
        yield return new OpSample(OpTable.ConvTranspose3d, Attributes.Of("dilation", 2),
            [Normal(1, 2, 2, 2, 2), Normal(2, 1, 2, 1, 2)]);
        var pool = Attributes.Of("kernel", new[] { 3, 2 }, "stride", new[] { 2, 1 }).With("padding", new[] { 1, 0 });
        yield return new OpSample(OpTable.MaxPoolNd, pool, [Distinct(1, 1, 6, 4)]);
        yield return new OpSample(OpTable.MaxPoolNd, Attributes.Of("kernel", 2), [Distinct(2, 1, 2, 6)]);
        yield return new OpSample(OpTable.AvgPoolNd, pool, [Normal(2, 2, 5, 4)]);
        yield return new OpSample(OpTable.AvgPoolNd, Attributes.Of("kernel", 2), [Normal(1, 2, 4, 2, 2)]);
        yield return new OpSample(OpTable.AdaptiveAvgPool, Attributes.Of("output", new[] { 3, 2 }),
            [Normal(2, 2, 5, 4)]);
        yield return new OpSample(OpTable.AdaptiveMaxPool, Attributes.Of("output", 2), [Distinct(2, 2, 6)]);
    }
}
