using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Samples of windows, layers, losses and linear algebra.
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
        yield return new OpSample(OpTable.GumbelSoftmax, draw.With("temperature", 0.8), [Normal(3, 4)]);
        yield return new OpSample(OpTable.GumbelSoftmax, draw.With("hard", true), [Normal(3, 4)]) { IsSmooth = false };
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

    private static IEnumerable<OpSample> LinearAlgebra()
    {
        var general = Diagonally(Normal(2, 3, 3), 2.5);
        yield return new OpSample(OpTable.Inverse, Attributes.None, [general]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.Solve, Attributes.None, [general, Normal(2, 3, 2)]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.Solve, Attributes.None, [general, Normal(2, 3)]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.SignLogDet, Attributes.None, [general])
        {
            Differentiable = [0, 1],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.LogDet, Attributes.None, [Positive(Normal(3, 3))]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.Determinant, Attributes.None, [general]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.Cholesky, Attributes.None,
            [Positive(Normal(3, 3))])
        { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.Qr, Attributes.None, [Diagonally(Normal(4, 3), 2)])
        {
            Differentiable = [0, 1],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.Eigh, Attributes.None, [Apart(3, 3)])
        {
            Differentiable = [0, 1],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.Svd, Attributes.None, [Apart(4, 3)])
        {
            Differentiable = [0, 1, 2],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.Svd, Attributes.None, [Apart(2, 3)])
        {
            Differentiable = [1],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.MatrixExp, Attributes.None, [Normal(2, 3, 3)]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.FrobeniusNorm, Attributes.None, [Normal(2, 3, 4)]);
        yield return new OpSample(OpTable.NuclearNorm, Attributes.None, [Apart(3, 3)]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.SpectralNorm, Attributes.None, [Apart(3, 2)]) { FloatTolerance = 1e-4 };
    }

    private static IEnumerable<OpSample> EmptyElementwise()
    {
        Op[] unary =
            [.. Smooth, .. Anywhere, .. AbovePositive, .. BelowOne, .. Steps, OpTable.Acosh, OpTable.Polygamma,
                OpTable.Celu, OpTable.Clamp, OpTable.StopGradient, OpTable.Log, OpTable.Sqrt, OpTable.PowScalar,
                    OpTable.Softmax, OpTable.LogSoftmax, OpTable.RmsNorm];
        foreach (var op in unary) yield return new OpSample(op, Attributes.None, [Normal(0, 3)]);
        Op[] binary =
        [
            .. Pairs, OpTable.Add, OpTable.Subtract, OpTable.Multiply, OpTable.Divide, OpTable.Maximum, OpTable.Minimum,
            OpTable.Pow, OpTable.Equal, OpTable.NotEqual, OpTable.Less, OpTable.Greater, OpTable.LessEqual,
            OpTable.GreaterEqual, OpTable.MaskedFill,
        ];
        foreach (var op in binary) yield return new OpSample(op, Attributes.None, [Normal(0, 3), Normal(3)]);
        Op[] slopes =
            [OpTable.ReluGrad, OpTable.SigmoidGrad, OpTable.TanhGrad, OpTable.GeluGrad, OpTable.SoftmaxGrad,
                OpTable.LogSoftmaxGrad, OpTable.StraightThrough];
        foreach (var op in slopes) yield return new OpSample(op, Attributes.None, [Normal(0, 3), Normal(0, 3)]);
        yield return new OpSample(OpTable.Where, Attributes.None, [Normal(3), Normal(0, 3), Normal(1, 3)]);
        Op[] sums =
        [
            OpTable.Sum, OpTable.Mean, OpTable.Max, OpTable.Min, OpTable.Product, OpTable.LogSumExp, OpTable.Variance,
            OpTable.Std, OpTable.Norm, OpTable.Any, OpTable.AllOf, OpTable.Exists, OpTable.ForAll, OpTable.ExistsProb,
            OpTable.ForAllProb, OpTable.ExistsSmooth, OpTable.ForAllSmooth,
        ];
        foreach (var op in sums) yield return new OpSample(op, Attributes.Of("axes", new[] { 1 }), [Normal(0, 3)]);
        foreach (
            var op in new[] { OpTable.CumSum, OpTable.CumProd, OpTable.Flip, OpTable.Sort, OpTable.ArgMax,
                OpTable.ArgMin })
            yield return new OpSample(op, Attributes.Of("axis", 1), [Normal(0, 3)]);
    }

    private static IEnumerable<OpSample> EmptyOthers()
    {
        OpSample Make(Op op, Attributes a, params Tensor[] x) => new(op, a, x);
        var none = Attributes.None;
        var noIds = Tensor.Zeros(DType.Int32, 0);
        var size = Attributes.Of("kernel", 2, "stride", 2).With("height", 4).With("width", 4);
        yield return Make(OpTable.Full,
            Attributes.Of("value", 1.0, "dims", new Dim[] { 0, 2 }).With("dtype", DType.Float64));
        yield return Make(OpTable.Eye, Attributes.Of("size", 0, "dtype", DType.Float64));
        yield return Make(OpTable.Iota, Attributes.Of("size", 0, "dtype", DType.Float64));
        yield return Make(OpTable.Uniform, Attributes.Of("dims", new Dim[] { 0 }, "dtype", DType.Float64));
        yield return Make(OpTable.Reshape, Attributes.Of("dims", new Dim[] { 0, 6 }), Normal(0, 2, 3));
        yield return Make(OpTable.Transpose, Attributes.Of("perm", new[] { 1, 0 }), Normal(0, 3));
        yield return Make(OpTable.Permute, Attributes.Of("perm", new[] { 1, 0 }), Normal(0, 3));
        yield return Make(OpTable.BroadcastTo, Attributes.Of("dims", new Dim[] { 0, 3 }), Normal(1, 3));
        yield return Make(OpTable.Slice, Attributes.Of("axis", 1, "start", 1).With("count", 0), Normal(0, 3));
        yield return Make(OpTable.SliceGrad, Attributes.Of("axis", 1, "start", 1).With("size", 3), Normal(2, 0));
        yield return Make(OpTable.Concat, Attributes.Of("axis", 0), Normal(0, 3), Normal(2, 3));
        yield return Make(OpTable.Stack, Attributes.Of("axis", 0), Normal(0, 3), Normal(0, 3));
        yield return Make(OpTable.Split, Attributes.Of("axis", 1, "sizes", new[] { 3, 0 }), Normal(0, 3));
        yield return Make(OpTable.Diagonal, Attributes.Of("a", 0, "b", 1), Normal(0, 0));
        yield return Make(OpTable.DiagonalEmbed, Attributes.Of("a", 0, "b", 1), Normal(0));
        yield return Make(OpTable.Diag, none, Normal(0, 0));
        yield return Make(OpTable.Trace, none, Normal(0, 0));
        yield return Make(OpTable.Kron, none, Normal(0, 2), Normal(2, 2));
        yield return Make(OpTable.Meshgrid, none, Normal(0), Normal(2));
        yield return Make(OpTable.Squeeze, Attributes.Of("axis", 0), Normal(1, 0));
        yield return Make(OpTable.Unsqueeze, Attributes.Of("axis", 0), Normal(0, 2));
        yield return Make(OpTable.Pad, Attributes.Of("axis", 1, "after", 1), Normal(0, 3));
        yield return Make(OpTable.Tile, Attributes.Of("repeats", new[] { 2, 2 }), Normal(0, 3));
        yield return Make(OpTable.Roll, Attributes.Of("axis", 0, "shift", 1), Normal(0, 3));
        yield return Make(OpTable.Tril, none, Normal(0, 3));
        yield return Make(OpTable.Triu, none, Normal(0, 3));
        yield return Make(OpTable.MatMul, none, Normal(0, 3), Normal(3, 2));
        yield return Make(OpTable.Linear, none, Normal(0, 3), Normal(2, 3), Normal(2));
        yield return Make(OpTable.Einsum, Attributes.Of("spec", "ij,jk->ik"), Normal(2, 0), Normal(0, 3));
        yield return Make(OpTable.Conv2d, Attributes.Of("padding", 1), Normal(0, 2, 4, 4), Normal(3, 2, 3, 3),
            Normal(3));
        yield return Make(OpTable.Conv2dGradInput, Attributes.Of("height", 4, "width", 4), Normal(0, 3, 2, 2),
            Normal(3, 2, 3, 3));
        yield return Make(OpTable.Conv2dGradWeight, Attributes.Of("height", 3, "width", 3), Normal(0, 2, 4, 4),
            Normal(0, 3, 2, 2));
        yield return Make(OpTable.MaxPool2d, Attributes.Of("kernel", 2, "stride", 2), Normal(0, 2, 4, 4));
        yield return Make(OpTable.AvgPool2d, Attributes.Of("kernel", 2, "stride", 2), Normal(0, 2, 4, 4));
        yield return Make(OpTable.AvgPool2dGrad, size, Normal(0, 2, 2, 2));
        yield return Make(OpTable.MaxPool2dGrad, size, Normal(0, 2, 2, 2), Tensor.Zeros(DType.Int32, 0, 2, 2, 2));
        yield return Make(OpTable.PlaneGather, none, Normal(0, 2, 4, 4), Tensor.Zeros(DType.Int32, 0, 2, 2, 2));
        yield return Make(OpTable.Embedding, none, Normal(5, 4), Tensor.Zeros(DType.Int32, 0, 2));
        yield return Make(OpTable.EmbeddingGrad, Attributes.Of("rows", 5), Normal(0, 2, 4),
            Tensor.Zeros(DType.Int32, 0, 2));
        yield return Make(OpTable.LayerNorm, none, Normal(0, 4), Normal(4), Normal(4));
        yield return Make(OpTable.LayerNormGradInput, none, Normal(0, 4), Normal(0, 4), Normal(4), Normal(0),
            Normal(0));
        yield return Make(OpTable.LayerNormGradGain, none, Normal(0, 4), Normal(0, 4), Normal(0), Normal(0));
        yield return Make(OpTable.Attention, Attributes.Of("heads", 2), Normal(0, 3, 12));
        yield return Make(OpTable.AttentionGrad, Attributes.Of("heads", 2), Normal(0, 3, 4), Normal(0, 3, 12),
            Normal(0, 3, 4), Normal(0, 2, 3));
        yield return Make(OpTable.CrossEntropy, none, Normal(0, 4), noIds);
        yield return Make(OpTable.CrossEntropyGrad, none, Normal(0), Normal(0, 4), noIds, Normal(0));
        yield return Make(OpTable.Correct, none, Normal(0, 4), noIds);
        yield return Make(OpTable.Gather, Attributes.Of("axis", 1), Normal(0, 4), Tensor.Zeros(DType.Int32, 0, 2));
        yield return Make(OpTable.ScatterAdd, Attributes.Of("axis", 1), Normal(2, 4), Tensor.Zeros(DType.Int32, 2, 0),
            Normal(2, 0));
        yield return Make(OpTable.IndexSelect, Attributes.Of("axis", 1), Normal(2, 4), noIds);
        yield return Make(OpTable.IndexAdd, Attributes.Of("axis", 1, "size", 4), Normal(2, 0), noIds);
        yield return Make(OpTable.OneHot, Attributes.Of("classes", 3, "dtype", DType.Float64), noIds);
        yield return Make(OpTable.Mark, Attributes.Of("dtype", DType.Float64), noIds);
        yield return Make(OpTable.Replace, none, noIds);
        yield return Make(OpTable.TopK, Attributes.Of("axis", 1, "k", 2), Normal(0, 3));
        yield return Make(OpTable.Unfold, Window([2], [1], [0], [1]), Normal(0, 2, 4));
        yield return Make(OpTable.Fold, Window([2], [1], [0], [1]).With("sizes", new[] { 4 }), Normal(0, 2, 2, 3));
        yield return Make(OpTable.Resample, Attributes.Of("axis", 1, "size", 4), Normal(0, 2));
        yield return Make(OpTable.Interpolate, Attributes.Of("output", 4), Normal(0, 2, 3));
        yield return Make(OpTable.Conv1d, none, Normal(0, 2, 4), Normal(3, 2, 2));
        yield return Make(OpTable.Conv2dAny, none, Normal(0, 2, 4, 4), Normal(3, 2, 2, 2));
        yield return Make(OpTable.Conv3d, none, Normal(0, 2, 3, 3, 3), Normal(3, 2, 2, 2, 2));
        yield return Make(OpTable.ConvTranspose1d, none, Normal(0, 2, 4), Normal(2, 3, 2));
        yield return Make(OpTable.ConvTranspose2d, none, Normal(0, 2, 4, 4), Normal(2, 3, 2, 2));
        yield return Make(OpTable.ConvTranspose3d, none, Normal(0, 2, 2, 2, 2), Normal(2, 3, 2, 2, 2));
        yield return Make(OpTable.MaxPoolNd, Attributes.Of("kernel", 2), Normal(0, 2, 4));
        yield return Make(OpTable.AvgPoolNd, Attributes.Of("kernel", 2), Normal(0, 2, 4));
        yield return Make(OpTable.AdaptiveAvgPool, Attributes.Of("output", 2), Normal(0, 2, 4));
        yield return Make(OpTable.AdaptiveMaxPool, Attributes.Of("output", 2), Normal(0, 2, 4));
        yield return Make(OpTable.LayerNormAny, none, Normal(0, 3));
        yield return Make(OpTable.GroupNorm, Attributes.Of("groups", 1), Normal(0, 2, 3));
        yield return Make(OpTable.InstanceNorm, none, Normal(0, 2, 3));
        yield return Make(OpTable.BatchNorm, none, Normal(2, 3, 0));
        yield return Make(OpTable.ScaledDotProduct, none, Normal(0, 3, 2), Normal(0, 3, 2), Normal(0, 3, 2));
        yield return Make(OpTable.LstmCell, none, Normal(0, 3), Normal(0, 2), Normal(0, 2), Normal(8, 3), Normal(8, 2),
            Normal(8));
        yield return Make(OpTable.Lstm, none, Normal(0, 2, 3), Normal(0, 2), Normal(0, 2), Normal(8, 3), Normal(8, 2),
            Normal(8));
        yield return Make(OpTable.GruCell, none, Normal(0, 3), Normal(0, 2), Normal(6, 3), Normal(6, 2), Normal(6),
            Normal(6));
        yield return Make(OpTable.Gru, none, Normal(0, 2, 3), Normal(0, 2), Normal(6, 3), Normal(6, 2), Normal(6),
            Normal(6));
        yield return Make(OpTable.Dropout, none, Normal(0, 3));
        yield return Make(OpTable.DropoutMask, Attributes.Of("dims", new Dim[] { 0 }, "dtype", DType.Float64));
        yield return Make(OpTable.SliceMean, none, Normal(0, 3));
        yield return Make(OpTable.Statistic, none, Normal(0, 3), Normal(3));
        yield return Make(OpTable.GumbelSoftmax, none, Normal(0, 3));
        var sum = Attributes.Of("reduction", "sum");
        foreach (
            var op in new[] { OpTable.MseLoss, OpTable.L1Loss, OpTable.HuberLoss, OpTable.BceWithLogits, OpTable.KlDiv,
                OpTable.HingeLoss })
            yield return Make(op, sum, Normal(0, 3), Normal(0, 3));
        yield return Make(OpTable.CosineSimilarity, none, Normal(0, 3), Normal(0, 3));
        yield return Make(OpTable.CosineEmbeddingLoss, sum, Normal(0, 3), Normal(0, 3), Normal(0));
        yield return Make(OpTable.NllLoss, sum, Normal(0, 4), noIds);
        yield return Make(OpTable.CrossEntropyLoss, sum, Normal(0, 4), noIds);
        yield return Make(OpTable.CtcLoss, sum, Normal(3, 0, 4), Tensor.Zeros(DType.Int32, 0, 2), noIds, noIds);
        yield return Make(OpTable.CtcLoss, sum, Normal(3, 2, 4), Tensor.Zeros(DType.Int32, 2, 0), Tensor.Of([3, 2], 2),
            Tensor.Of([0, 0], 2));
        yield return Make(OpTable.CtcLoss, sum, Normal(0, 2, 4), Ids(4, 2, 1), Tensor.Zeros(DType.Int32, 2),
            Tensor.Zeros(DType.Int32, 2));
        Op[] square =
            [OpTable.Inverse, OpTable.SignLogDet, OpTable.LogDet, OpTable.Determinant, OpTable.Cholesky, OpTable.Qr,
                OpTable.Eigh, OpTable.Svd, OpTable.MatrixExp, OpTable.FrobeniusNorm, OpTable.NuclearNorm,
                    OpTable.SpectralNorm];
        foreach (var op in square) yield return Make(op, none, Normal(0, 2, 2));
        yield return Make(OpTable.Solve, none, Normal(0, 2, 2), Normal(0, 2, 1));
        yield return Make(OpTable.Solve, none, Normal(0, 2, 2), Normal(0, 2));
    }

    private static Tensor Diagonally(Tensor x, double add)
    {
        var (rows, columns) = (x.Shape[-2], x.Shape[-1]);
        var values = x.Writable<double>();
        for (var i = 0; i < values.Length; i++)
            if (i / columns % rows == i % columns) values[i] += add;
        return x;
    }

    // x xᵀ + 1: symmetric and positive definite.
    private static Tensor Positive(Tensor x)
    {
        var n = x.Shape[0];
        var y = Tensor.Zeros(DType.Float64, n, n);
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var sum = i == j ? 1.0 : 0;
                for (var k = 0; k < n; k++) sum += x.At(i, k) * x.At(j, k);
                y.Set(sum, i, j);
            }
        }

        return y;
    }

    // Singular values and eigenvalues that are far from each other.
    private static Tensor Apart(int rows, int columns)
    {
        var x = Make([rows, columns], 6, (v, _) => 0.3 * v);
        for (var i = 0; i < Math.Min(rows, columns); i++) x.Set(x.At(i, i) + 1 + (1.3 * i), i, i);
        return x;
    }
}
