using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Samples with a dimension of size 0.
internal static partial class OpSamples
{
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
        yield return Package(0, Normal(0, 3), Normal(0, 3), Normal(3));
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
        yield return new OpSample(OpTable.Recurrence, Attributes.Of("axis", 1), [Normal(0, 3), Normal(0, 3)]);
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
        yield return Make(OpTable.MatMul, none, Normal(3, 0), Normal(0, 2));
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
            [OpTable.Inverse, OpTable.SignLogDet, OpTable.LogDet, OpTable.Determinant, OpTable.Cofactor,
                OpTable.Cholesky, OpTable.Qr,
                OpTable.Eigh, OpTable.Svd, OpTable.MatrixExp, OpTable.MatrixLog, OpTable.FrobeniusNorm,
                OpTable.NuclearNorm,
                    OpTable.SpectralNorm];
        foreach (var op in square) yield return Make(op, none, Normal(0, 2, 2));
        yield return Make(OpTable.Solve, none, Normal(0, 2, 2), Normal(0, 2, 1));
        yield return Make(OpTable.Solve, none, Normal(0, 2, 2), Normal(0, 2));
    }
}
