using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>The cases of every operator. An operator of the table without one fails EveryOperatorHasACase.</summary>
internal static partial class OpCases
{
    private static readonly Op[] Smooth =
    [
        OpTable.Negate, OpTable.Sigmoid, OpTable.OneMinus, OpTable.Tanh, OpTable.Exp, OpTable.Square, OpTable.Softplus,
        OpTable.Elu, OpTable.Silu, OpTable.Mish, OpTable.Gelu, OpTable.GeluTanh, OpTable.Relu, OpTable.LeakyRelu,
        OpTable.Abs, OpTable.HardSigmoid, OpTable.HardSwish,
    ];

    public static IReadOnlyList<OpCase> All { get; } =
    [
        .. Elementwise(), .. Gradients(), .. Leaves(), .. Reductions(), .. Shapes(), .. Contractions(), .. Images(),
        .. Layers(),
    ];

    private static IEnumerable<OpCase> Elementwise()
    {
        foreach (var op in Smooth)
        {
            yield return new OpCase(op, Attributes.None, [Away(2, 5)]);
            yield return new OpCase(op, Attributes.None, [Away(37)]);
        }

        foreach (var op in new[] { OpTable.Log, OpTable.Sqrt })
            yield return new OpCase(op, Attributes.None, [Positive(3, 4)]);
        yield return new OpCase(OpTable.LeakyRelu, Attributes.Of("slope", 0.2), [Away(2, 5)]);
        yield return new OpCase(OpTable.Elu, Attributes.Of("alpha", 0.7), [Away(2, 5)]);
        foreach (var exponent in new[] { 3.0, -2.0, 0.5 })
            yield return new OpCase(OpTable.PowScalar, Attributes.Of("exponent", exponent), [Positive(2, 5)]);
        yield return new OpCase(OpTable.PowScalar, Attributes.Of("exponent", 3.0), [Away(2, 5)]);
        foreach (var (a, b) in Broadcasts())
        {
            foreach (var op in new[] { OpTable.Add, OpTable.Subtract, OpTable.Multiply, OpTable.Maximum, OpTable.Minimum })
                yield return new OpCase(op, Attributes.None, [Away(a), Away(b, 1)]);
            yield return new OpCase(OpTable.Divide, Attributes.None, [Away(a), Positive(b)]);
            yield return new OpCase(OpTable.Pow, Attributes.None, [Positive(a), Away(b, 1)]);
        }

        yield return Comparison(OpTable.Equal, (x, y) => x == y);
        yield return Comparison(OpTable.Less, (x, y) => x < y);
        yield return Comparison(OpTable.Greater, (x, y) => x > y);
        yield return Comparison(OpTable.LessEqual, (x, y) => x <= y);
        yield return Comparison(OpTable.GreaterEqual, (x, y) => x >= y);
    }

    private static IEnumerable<OpCase> Gradients()
    {
        yield return new OpCase(OpTable.ReluGrad, Attributes.None, [Normal(2, 5), Away(2, 5)]) { GradientOf = OpTable.Relu };
        yield return new OpCase(OpTable.SigmoidGrad, Attributes.None, [Normal(2, 5), Normal(2, 5)]) { GradientOf = OpTable.Sigmoid };
        yield return new OpCase(OpTable.TanhGrad, Attributes.None, [Normal(2, 5), Normal(2, 5)]) { GradientOf = OpTable.Tanh };
        yield return new OpCase(OpTable.GeluGrad, Attributes.None, [Normal(2, 5), Normal(2, 5)]) { GradientOf = OpTable.Gelu };
        yield return new OpCase(OpTable.SoftmaxGrad, Attributes.None, [Normal(3, 4), Normal(3, 4)]) { GradientOf = OpTable.Softmax };
        yield return new OpCase(OpTable.LogSoftmaxGrad, Attributes.None, [Normal(3, 4), Normal(3, 4)]) { GradientOf = OpTable.LogSoftmax };
    }

    private static IEnumerable<OpCase> Leaves()
    {
        var full = Attributes.Of("value", 2.5, "dims", new Dim[] { 2, 3 }).With("dtype", DType.Float64);
        yield return new OpCase(OpTable.Full, full, []) { Reference = () => [2.5, 2.5, 2.5, 2.5, 2.5, 2.5] };
        var eye = Attributes.Of("size", 3, "dtype", DType.Float64);
        yield return new OpCase(OpTable.Eye, eye, []) { Reference = () => [1, 0, 0, 0, 1, 0, 0, 0, 1] };
    }

    private static IEnumerable<OpCase> Reductions()
    {
        int[][] lists = [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]];
        foreach (var axes in lists)
        {
            foreach (var op in new[] { OpTable.Sum, OpTable.Mean, OpTable.Max, OpTable.Min, OpTable.Product })
            {
                yield return new OpCase(op, Attributes.Of("axes", axes), [Distinct(2, 3, 4)]);
                yield return new OpCase(op, Attributes.Of("axes", axes, "keep", true), [Distinct(2, 3, 4)]);
            }
        }

        // A product with a zero in it: a gradient that divides by the product fails here.
        var zero = Distinct(2, 3);
        zero.Set(0, 1, 1);
        yield return new OpCase(OpTable.Product, Attributes.Of("axes", new[] { 1 }), [zero]);
    }

    private static IEnumerable<OpCase> Shapes()
    {
        yield return new OpCase(OpTable.Reshape, Attributes.Of("dims", new Dim[] { 4, 3 }), [Normal(2, 6)]);
        yield return new OpCase(OpTable.Transpose, Attributes.Of("perm", new[] { 2, 0, 1 }), [Normal(2, 3, 4)]);
        yield return new OpCase(OpTable.Transpose, Attributes.Of("perm", new[] { 1, 0 }), [Normal(5, 3)]);
        yield return new OpCase(OpTable.BroadcastTo, Attributes.Of("dims", new Dim[] { 4, 2, 3 }), [Normal(2, 3)]);
        yield return new OpCase(OpTable.BroadcastTo, Attributes.Of("dims", new Dim[] { 4, 2, 3 }), [Normal(4, 1, 3)]);
        var slice = Attributes.Of("axis", 1, "start", 1).With("step", 2).With("count", 2);
        yield return new OpCase(OpTable.Slice, slice, [Normal(2, 5, 3)]);
        yield return new OpCase(OpTable.SliceGrad, slice.With("size", 5), [Normal(2, 2, 3)]) { GradientOf = OpTable.Slice };
        yield return new OpCase(OpTable.Concat, Attributes.Of("axis", 1), [Normal(2, 3), Normal(2, 1), Normal(2, 2)]);
        var diagonal = Attributes.Of("a", 0, "b", 2);
        yield return new OpCase(OpTable.Diagonal, diagonal, [Normal(3, 2, 3)]);
        yield return new OpCase(OpTable.DiagonalEmbed, diagonal, [Normal(3, 2)]) { GradientOf = OpTable.Diagonal };
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

    private static OpCase Comparison(Op op, Func<double, double, bool> holds)
    {
        double[] a = [1, 2, 3, -0.0, 5, -2];
        double[] b = [1, 3, 2, 0.0, 5, -3];
        return new OpCase(op, Attributes.None, [Tensor.Of(a, 2, 3), Tensor.Of(b, 2, 3)])
        {
            Reference = () => [.. a.Zip(b, (x, y) => holds(x, y) ? 1.0 : 0.0)],
            IsSmooth = false,
        };
    }

    internal static Tensor Normal(params int[] shape) => Make(shape, 0, (x, _) => x);

    /// <summary>Not near zero, where many functions have a kink, nor near three, where the hard ones do.</summary>
    private static Tensor Away(params int[] shape) => Away(shape, 0);

    private static Tensor Away(int[] shape, ulong stream) =>
        Make(shape, stream, (x, _) => Math.CopySign(0.1 + Math.Min(Math.Abs(x), 2.5), x));

    private static Tensor Positive(params int[] shape) => Make(shape, 2, (x, _) => 0.3 + Math.Abs(x));

    /// <summary>No two elements near each other, so that no finite difference changes which is the largest.</summary>
    private static Tensor Distinct(params int[] shape) => Make(shape, 3, (x, i) => (i * 7 % 24 * 0.11) - 1.23 + (0.01 * Math.Tanh(x)));

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
