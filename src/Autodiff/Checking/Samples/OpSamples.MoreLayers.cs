using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Samples of normalizations, recurrent cells, random masks and losses.
internal static partial class OpSamples
{
    private static IEnumerable<OpSample> MoreLayers()
    {
        var groups = Attributes.Of("groups", 2);
        yield return new OpSample(OpTable.RmsNorm, Attributes.None, [Normal(3, 4), Away(4)]);
        yield return new OpSample(OpTable.LayerNormAny, Attributes.Of("axes", 2),
            [Normal(2, 3, 2), Away(3, 2), Normal(3, 2)]);
        yield return new OpSample(OpTable.GroupNorm, groups, [Normal(2, 4, 3, 2), Away(4), Normal(4)]);
        yield return new OpSample(OpTable.InstanceNorm, Attributes.None, [Normal(2, 3, 4), Away(3), Normal(3)]);
        yield return new OpSample(OpTable.BatchNorm, Attributes.None, [Normal(4, 3, 2), Away(3), Normal(3)]);
        yield return new OpSample(OpTable.BatchNorm, Attributes.None, [Normal(5, 3)]);
        foreach (var causal in new[] { false, true })
        {
            var attributes = Attributes.Of("causal", causal);
            yield return new OpSample(OpTable.ScaledDotProduct, attributes,
                [Normal(2, 2, 3, 4), Away(2, 2, 3, 4), Normal(2, 2, 3, 2)]);
        }

        yield return new OpSample(OpTable.ScaledDotProduct, Attributes.None,
            [Normal(3, 4), Normal(5, 4), Normal(5, 2), Normal(3, 5)]);
        yield return new OpSample(OpTable.LstmCell, Attributes.None,
            [Normal(2, 3), Normal(2, 2), Away(2, 2), Normal(8, 3), Normal(8, 2), Normal(8)])
        {
            Differentiable =
                [0, 1]
        };
        yield return new OpSample(OpTable.GruCell, Attributes.None,
            [Normal(2, 3), Normal(2, 2), Normal(6, 3), Normal(6, 2), Normal(6), Away(6)]);
        yield return new OpSample(OpTable.Lstm, Attributes.None,
            [Normal(2, 3, 2), Normal(2, 2), Away(2, 2), Normal(8, 2), Normal(8, 2), Normal(8)])
        {
            Differentiable =
                [0, 1, 2]
        };
        yield return new OpSample(OpTable.Gru, Attributes.None,
            [Normal(2, 3, 2), Normal(2, 2), Normal(6, 2), Normal(6, 2), Normal(6), Away(6)])
        {
            Differentiable =
                [0, 1]
        };
        var draw = Attributes.Of("seed", 7, "stream", 3);
        yield return new OpSample(OpTable.Uniform, draw.With("dims", new Dim[] { 2, 5 }).With("dtype", DType.Float64),
            []);
        yield return new OpSample(OpTable.Dropout, draw.With("rate", 0.4), [Normal(4, 5)]);
        yield return new OpSample(OpTable.DropoutMask,
            draw.With("rate", 0.4).With("dims", new Dim[] { 4, 5 }).With("dtype", DType.Float64), []);
        yield return new OpSample(OpTable.SliceMean, Attributes.None, [Normal(4, 3, 2)]);
        yield return new OpSample(OpTable.Statistic, Attributes.None, [Normal(4, 3), Normal(3)])
        {
            IsSmooth = false, Broadcasts = false,
        };
        yield return new OpSample(OpTable.BatchNorm, Attributes.None,
            [Normal(4, 3, 2), Away(3), Normal(3), Normal(3), Positive(3)])
        { IsSmooth = false };
        // Two functions that are not each other's derivative, by design: finite differences mean nothing here.
        yield return new OpSample(OpTable.StraightThrough, Attributes.None,
            [Normal(2, 3), Away(2, 3)])
        { IsSmooth = false };
        // The author's gradient is not that of the formula: that is what a package with one is for.
        yield return Package(4, Normal(4, 3), Normal(4, 3), Normal(3));
        yield return new OpSample(OpTable.GumbelSoftmax, draw.With("temperature", 0.8), [Normal(3, 4)]);
        yield return new OpSample(OpTable.GumbelSoftmax, draw.With("hard", true), [Normal(3, 4)]) { IsSmooth = false };
    }

    // Rounded products, with the gradient of a tanh of the product.
    private static OpSample Package(int rows, params Tensor[] inputs)
    {
        Attributes Of(DType dtype) => Packaged.AttributesOf(OperatorPackage.Of("rounded",
            [new TensorType(dtype, rows, 3), new TensorType(dtype, 3)], x => [(x[0] * x[1]).Round()])
            .WithGradient(g =>
            {
                var slope = ((g.Operands[0] * g.Operands[1]).Tanh().Square().OneMinus() + g.Result.Abs()) * g.Gradient;
                return [slope * g.Operands[1], (slope * g.Operands[0]).Sum([0])];
            }));
        return new OpSample(OpTable.Packaged, Of(DType.Float64), inputs)
        {
            NarrowAttributes = Of(DType.Float32), IsSmooth = false, Broadcasts = false,
        };
    }

    private static IEnumerable<OpSample> Losses()
    {
        foreach (var reduction in new[] { "mean", "sum", "none" })
        {
            var attributes = Attributes.Of("reduction", reduction);
            yield return new OpSample(OpTable.MseLoss, attributes, [Normal(3, 2), Away(3, 2)]);
            yield return new OpSample(OpTable.L1Loss, attributes, [Distinct(3, 2), Positive(3, 2)]);
            yield return new OpSample(OpTable.HuberLoss, attributes.With("delta", 0.7),
                [Distinct(3, 2), Positive(3, 2)]);
            yield return new OpSample(OpTable.BceWithLogits, attributes, [Away(3, 2), Shifted(3, 2)]);
            yield return new OpSample(OpTable.KlDiv, attributes, [Normal(3, 4), Shifted(3, 4)]);
            yield return new OpSample(OpTable.CosineEmbeddingLoss, attributes.With("margin", -0.9),
                [Normal(3, 4), Away(3, 4), Tensor.Of([1.0, -1, 1], 3)]);
            yield return new OpSample(OpTable.HingeLoss, attributes,
                [Distinct(2, 3), Tensor.Of([1.0, -1, 1, -1, -1, 1], 2, 3)]);
            yield return new OpSample(OpTable.NllLoss, attributes, [Normal(5, 4), Ids(4, 5)]);
            yield return new OpSample(OpTable.CrossEntropyLoss, attributes.With("smoothing", 0.1),
                [Normal(5, 4), Ids(4, 5)]);
            yield return new OpSample(OpTable.CrossEntropyLoss, attributes.With("ignore", 3),
                [Normal(5, 4), Ids(4, 5)]);
            yield return new OpSample(OpTable.CtcLoss, attributes.With("blank", 2),
                [Normal(4, 2, 3), Tensor.Of([0, 1, 1, 0], 2, 2), Tensor.Of([4, 3], 2), Tensor.Of([2, 1], 2)]);
        }

        // A label twice, short inputs, a short and an empty target, and one too long for its input.
        yield return new OpSample(OpTable.CtcLoss, Attributes.Of("zero-infinity", true),
            [Normal(4, 5, 3), Tensor.Of([1, 2, 1, 1, 2, 0, 0, 0, 1, 1], 5, 2), Tensor.Of([4, 3, 3, 2, 2], 5),
                Tensor.Of([2, 2, 1, 0, 2], 5)]);
        yield return new OpSample(OpTable.KlDiv, Attributes.Of("reduction", "batchmean"),
            [Normal(3, 4), Shifted(3, 4)]);
        yield return new OpSample(OpTable.NllLoss, Attributes.Of("ignore", -100),
            [Normal(3, 4), Tensor.Of([1, -100, 2], 3)]);
        yield return new OpSample(OpTable.CosineSimilarity, Attributes.Of("axis", 1), [Normal(3, 4), Away(3, 4)]);
    }
}
