using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

/// <summary>Samples of every operator. A row of the table without one is a gap in the matrix.</summary>
internal static partial class OpSamples
{
    private static readonly Op[] Smooth =
    [
        OpTable.Negate, OpTable.Sigmoid, OpTable.OneMinus, OpTable.Tanh, OpTable.Exp, OpTable.Square, OpTable.Softplus,
        OpTable.Elu, OpTable.Silu, OpTable.Mish, OpTable.Gelu, OpTable.GeluTanh, OpTable.Relu, OpTable.LeakyRelu,
        OpTable.Abs, OpTable.HardSigmoid, OpTable.HardSwish,
    ];

    public static IReadOnlyList<OpSample> All => Made.Value;

    // Made on first use: the lists they are made from lie in several files, whose order of initialization is not said.
    private static readonly Lazy<OpSample[]> Made = new(() =>
    [
        .. Elementwise(), .. Gradients(), .. Leaves(), .. Reductions(), .. Shapes(), .. Contractions(), .. Images(),
        .. Layers(), .. MoreElementwise(), .. Logic(), .. GradedLogic(), .. MoreReductions(), .. MoreShapes(),
        .. Indices(), .. Windows(), .. MoreLayers(), .. Losses(), .. LinearAlgebra(), .. Complex(),
    ]);

    /// <summary>Samples with a dimension of size 0.</summary>
    public static IReadOnlyList<OpSample> Empty => MadeEmpty.Value;

    private static readonly Lazy<OpSample[]> MadeEmpty = new(
        () => [.. EmptyElementwise(), .. EmptyOthers(), .. EmptyGradedLogic(), .. EmptyComplex()]);

    public static IEnumerable<OpSample> Of(Op op) => All.Where(s => s.Op == op);

    private static IEnumerable<OpSample> Elementwise()
    {
        foreach (var op in Smooth)
        {
            yield return new OpSample(op, Attributes.None, [Away(2, 5)]);
            yield return new OpSample(op, Attributes.None, [Away(37)]);
        }

        foreach (var op in new[] { OpTable.Log, OpTable.Sqrt })
            yield return new OpSample(op, Attributes.None, [Positive(3, 4)]);
        yield return new OpSample(OpTable.LeakyRelu, Attributes.Of("slope", 0.2), [Away(2, 5)]);
        yield return new OpSample(OpTable.Elu, Attributes.Of("alpha", 0.7), [Away(2, 5)]);
        foreach (var exponent in new[] { 3.0, -2.0, 0.5 })
            yield return new OpSample(OpTable.PowScalar, Attributes.Of("exponent", exponent), [Positive(2, 5)]);
        yield return new OpSample(OpTable.PowScalar, Attributes.Of("exponent", 3.0), [Away(2, 5)]);
        foreach (var (a, b) in Broadcasts())
        {
            foreach (
                var op in new[] { OpTable.Add, OpTable.Subtract, OpTable.Multiply, OpTable.Maximum, OpTable.Minimum })
                yield return new OpSample(op, Attributes.None, [Away(a), Away(b, 1)]);
            yield return new OpSample(OpTable.Divide, Attributes.None, [Away(a), Positive(b)]);
            yield return new OpSample(OpTable.Pow, Attributes.None, [Positive(a), Away(b, 1)]);
        }

        yield return Comparison(OpTable.Equal);
        yield return Comparison(OpTable.Less);
        yield return Comparison(OpTable.Greater);
        yield return Comparison(OpTable.LessEqual);
        yield return Comparison(OpTable.GreaterEqual);
    }

    private static IEnumerable<OpSample> Gradients()
    {
        yield return new OpSample(OpTable.ReluGrad, Attributes.None,
            [Normal(2, 5), Away(2, 5)])
        { GradientOf = OpTable.Relu };
        yield return new OpSample(OpTable.SigmoidGrad, Attributes.None,
            [Normal(2, 5), Normal(2, 5)])
        { GradientOf = OpTable.Sigmoid };
        yield return new OpSample(OpTable.TanhGrad, Attributes.None,
            [Normal(2, 5), Normal(2, 5)])
        { GradientOf = OpTable.Tanh };
        yield return new OpSample(OpTable.GeluGrad, Attributes.None,
            [Normal(2, 5), Normal(2, 5)])
        { GradientOf = OpTable.Gelu };
        yield return new OpSample(OpTable.SoftmaxGrad, Attributes.None,
            [Normal(3, 4), Normal(3, 4)])
        { GradientOf = OpTable.Softmax };
        yield return new OpSample(OpTable.LogSoftmaxGrad, Attributes.None,
            [Normal(3, 4), Normal(3, 4)])
        { GradientOf = OpTable.LogSoftmax };
    }

    private static IEnumerable<OpSample> Leaves()
    {
        var full = Attributes.Of("value", 2.5, "dims", new Dim[] { 2, 3 }).With("dtype", DType.Float64);
        yield return new OpSample(OpTable.Full, full, []);
        var eye = Attributes.Of("size", 3, "dtype", DType.Float64);
        yield return new OpSample(OpTable.Eye, eye, []);
    }

    private static IEnumerable<OpSample> Reductions()
    {
        int[][] lists = [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]];
        foreach (var axes in lists)
        {
            foreach (var op in new[] { OpTable.Sum, OpTable.Mean, OpTable.Max, OpTable.Min, OpTable.Product })
            {
                yield return new OpSample(op, Attributes.Of("axes", axes), [Distinct(2, 3, 4)]);
                yield return new OpSample(op, Attributes.Of("axes", axes, "keep", true), [Distinct(2, 3, 4)]);
            }
        }

        // A product with a zero in it: a gradient that divides by the product fails here.
        var zero = Distinct(2, 3);
        zero.Set(0, 1, 1);
        yield return new OpSample(OpTable.Product, Attributes.Of("axes", new[] { 1 }), [zero]);
    }

    private static IEnumerable<OpSample> Shapes()
    {
        yield return new OpSample(OpTable.Reshape, Attributes.Of("dims", new Dim[] { 4, 3 }), [Normal(2, 6)]);
        yield return new OpSample(OpTable.Transpose, Attributes.Of("perm", new[] { 2, 0, 1 }), [Normal(2, 3, 4)]);
        yield return new OpSample(OpTable.Transpose, Attributes.Of("perm", new[] { 1, 0 }), [Normal(5, 3)]);
        yield return new OpSample(OpTable.BroadcastTo, Attributes.Of("dims", new Dim[] { 4, 2, 3 }), [Normal(2, 3)]);
        yield return new OpSample(OpTable.BroadcastTo, Attributes.Of("dims", new Dim[] { 4, 2, 3 }), [Normal(4, 1, 3)]);
        var slice = Attributes.Of("axis", 1, "start", 1).With("step", 2).With("count", 2);
        yield return new OpSample(OpTable.Slice, slice, [Normal(2, 5, 3)]);
        yield return new OpSample(OpTable.SliceGrad, slice.Without("count").With("size", 5),
            [Normal(2, 2, 3)])
        { GradientOf = OpTable.Slice };
        yield return new OpSample(OpTable.Concat, Attributes.Of("axis", 1), [Normal(2, 3), Normal(2, 1), Normal(2, 2)]);
        var diagonal = Attributes.Of("a", 0, "b", 2);
        yield return new OpSample(OpTable.Diagonal, diagonal, [Normal(3, 2, 3)]);
        yield return new OpSample(OpTable.DiagonalEmbed, diagonal, [Normal(3, 2)]) { GradientOf = OpTable.Diagonal };
    }

    private static IEnumerable<(int[] A, int[] B)> Broadcasts()
    {
        yield return ([2, 5], [2, 5]);
        yield return ([2, 3, 4], [4]);
        yield return ([4], [2, 3, 4]);
        yield return ([2, 3, 4], [3, 4]);
        yield return ([2, 3, 4], [2, 3, 1]);
        yield return ([2, 3, 4], [3, 1]);
        yield return ([2, 1, 4], [1, 3, 1]);
        yield return ([2, 3], []);
        yield return ([], [2, 3]);
    }

    private static OpSample Comparison(Op op)
    {
        double[] a = [1, 2, 3, -0.0, 5, -2];
        double[] b = [1, 3, 2, 0.0, 5, -3];
        return new OpSample(op, Attributes.None, [Tensor.Of(a, 2, 3), Tensor.Of(b, 2, 3)]) { IsSmooth = false };
    }

    internal static Tensor Normal(params int[] shape) => Make(shape, 0, (x, _) => x);

    /// <summary>Not near zero, where many functions have a kink, nor near three, where the hard ones do.</summary>
    internal static Tensor Away(params int[] shape) => Away(shape, 0);

    private static Tensor Away(int[] shape, ulong stream) =>
        Make(shape, stream, (x, _) => Math.CopySign(0.1 + Math.Min(Math.Abs(x), 2.5), x));

    private static Tensor Positive(params int[] shape) => Make(shape, 2, (x, _) => 0.3 + Math.Abs(x));

    /// <summary>No two elements near each other, so that no finite difference changes which is the largest.</summary>
    private static Tensor Distinct(params int[] shape) =>
        Make(shape, 3, (x, i) => (i * 7 % 24 * 0.11) - 1.23 + (0.01 * Math.Tanh(x)));

    internal static Tensor Ids(int below, params int[] shape)
    {
        var tensor = Tensor.Empty(DType.Int32, new Shape(shape));
        var values = tensor.Writable<int>();
        for (var i = 0; i < values.Length; i++) values[i] = i * 5 % 7 % below;
        return tensor;
    }

    private static Tensor Make(int[] shape, ulong stream, Func<double, int, double> map)
    {
        var tensor = Tensor.Empty(DType.Float64, new Shape(shape));
        var values = tensor.Writable<double>();
        var random = new RandomStream(17, RandomPurpose.Mask, stream + ((ulong)values.Length * 8));
        for (var i = 0; i < values.Length; i++) values[i] = map(random.Normal(i), i);
        return tensor;
    }
}
