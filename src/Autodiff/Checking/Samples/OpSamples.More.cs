using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Samples of functions of elements, of truth values, and of reductions.
internal static partial class OpSamples
{
    private static readonly Op[] Steps = [OpTable.Sign, OpTable.Floor, OpTable.Ceil, OpTable.Round];

    private static readonly Op[] Anywhere =
    [
        OpTable.Expm1, OpTable.Sin, OpTable.Cos, OpTable.Atan, OpTable.Sinh, OpTable.Cosh, OpTable.Asinh, OpTable.Erf,
        OpTable.Cbrt, OpTable.Reciprocal, OpTable.Relu6, OpTable.Selu, OpTable.HardTanh, OpTable.Softsign,
        OpTable.LogSigmoid,
    ];

    private static readonly Op[] AbovePositive = [OpTable.Log1p, OpTable.Log2, OpTable.Rsqrt, OpTable.Lgamma];
    private static readonly Op[] BelowOne = [OpTable.Tan, OpTable.Asin, OpTable.Acos, OpTable.Atanh];

    private static readonly Op[] Pairs =
    [
        OpTable.Atan2, OpTable.Hypot, OpTable.LogAddExp, OpTable.AndProb, OpTable.AndMin, OpTable.OrMax,
        OpTable.OrProbSum, OpTable.Nand, OpTable.Nor, OpTable.Xor, OpTable.Implies,
    ];

    private static IEnumerable<OpSample> MoreElementwise()
    {
        foreach (var op in Anywhere) yield return new OpSample(op, Attributes.None, [Away(2, 9)]);
        foreach (var op in AbovePositive) yield return new OpSample(op, Attributes.None, [Positive(3, 7)]);
        foreach (var op in BelowOne) yield return new OpSample(op, Attributes.None, [Inside(3, 6)]);
        foreach (var op in Steps) yield return new OpSample(op, Attributes.None, [Away(2, 9)]) { IsSmooth = false };
        yield return new OpSample(OpTable.Acosh, Attributes.None, [Plus(Positive(2, 5), 1)]);
        yield return new OpSample(OpTable.Lgamma, Attributes.None, [Plus(Inside(2, 3), -2.5)]);
        for (var n = 0; n < 3; n++)
        {
            yield return new OpSample(OpTable.Polygamma, Attributes.Of("n", n), [Plus(Positive(2, 4), 0.4)])
            {
                FloatTolerance = 1e-4,
            };
        }

        yield return new OpSample(OpTable.Celu, Attributes.Of("alpha", 0.7), [Away(2, 5)]);
        yield return new OpSample(OpTable.Clamp, Attributes.Of("min", -0.6, "max", 1.4), [Distinct(2, 9)]);
        yield return new OpSample(OpTable.StopGradient, Attributes.None, [Normal(2, 3)]) { IsSmooth = false };
        yield return new OpSample(OpTable.NotEqual, Attributes.None,
            [Tensor.Of([1.0, 2, 3], 3), Tensor.Of([1.0, 3, 3, 0, 2, 4], 2, 3)])
        {
            IsSmooth = false,
        };
        foreach (var (a, b) in Broadcasts())
        {
            foreach (var condition in new[] { Tensor.Of([1.0, 0, 0, 1], 4), Tensor.Of([0, 3, 1, 0], 4) })
            {
                if (a.Length != 3 || a[^1] != 4) continue;
                yield return new OpSample(OpTable.Where, Attributes.None,
                    [condition, Away(a), Away(b, 1)])
                { Broadcasts = true };
            }
        }

        yield return new OpSample(OpTable.MaskedFill, Attributes.Of("value", -2.0),
            [Away(3, 4), Tensor.Of([0, 1, 0, 1], 4)])
        { Broadcasts = true };
    }

    private static IEnumerable<OpSample> Logic()
    {
        foreach (var (a, b) in Broadcasts())
            foreach (var op in Pairs) yield return new OpSample(op, Attributes.None,
                [Positive(a), Shifted(b)])
            { Broadcasts = true };
        foreach (var axes in new int[][] { [0], [1, 2] })
        {
            foreach (var keep in new[] { false, true })
            {
                var attributes = Attributes.Of("axes", axes, "keep", keep);
                foreach (var op in new[] { OpTable.Exists, OpTable.ForAll, OpTable.ExistsProb, OpTable.ForAllProb })
                    yield return new OpSample(op, attributes, [Distinct(2, 3, 4)]);
                foreach (var op in new[] { OpTable.ExistsSmooth, OpTable.ForAllSmooth })
                    yield return new OpSample(op, attributes.With("temperature", 0.5), [Distinct(2, 3, 4)]);
            }
        }
    }

    private static IEnumerable<OpSample> MoreReductions()
    {
        foreach (var axes in new int[][] { [0], [1], [2], [0, 2], [0, 1, 2] })
        {
            foreach (var keep in new[] { false, true })
            {
                var attributes = Attributes.Of("axes", axes, "keep", keep);
                foreach (var op in new[] { OpTable.LogSumExp, OpTable.Variance, OpTable.Std, OpTable.Norm })
                    yield return new OpSample(op, attributes, [Distinct(2, 3, 4)]);
                foreach (var op in new[] { OpTable.Any, OpTable.AllOf })
                    yield return new OpSample(op, attributes,
                        [Tensor.Of([.. Ids(2, 2, 3, 4).ToArray<int>().Select(v => (double)v)], 2, 3, 4)])
                    {
                        IsSmooth =
                            false
                    };
            }
        }

        yield return new OpSample(OpTable.Variance, Attributes.Of("axes", new[] { 1 }, "unbiased", false),
            [Distinct(2, 3)]);
        foreach (var p in new[] { 1.0, 3.0, double.PositiveInfinity })
            yield return new OpSample(OpTable.Norm, Attributes.Of("axes", new[] { 1 }, "p", p), [Distinct(2, 5)]);
        for (var axis = 0; axis < 3; axis++)
        {
            var along = Attributes.Of("axis", axis);
            yield return new OpSample(OpTable.CumSum, along, [Normal(2, 3, 4)]);
            yield return new OpSample(OpTable.CumSum, along.With("reverse", true), [Normal(2, 3, 4)]);
            yield return new OpSample(OpTable.CumProd, along, [Normal(2, 3, 4)]);
            yield return new OpSample(OpTable.CumProd, along.With("reverse", true), [Normal(2, 3, 4)]);
            yield return new OpSample(OpTable.Recurrence, along, [Normal(2, 3, 4), Normal(2, 3, 4)]);
            yield return new OpSample(OpTable.Recurrence, along.With("reverse", true), [Normal(2, 3, 4), Normal(2, 3, 4)]);
            yield return new OpSample(OpTable.ArgMax, along, [Distinct(2, 3, 4)]) { IsSmooth = false };
            yield return new OpSample(OpTable.ArgMin, along, [Distinct(2, 3, 4)]) { IsSmooth = false };
        }

        // A zero among the factors: a gradient that divides by the product fails here.
        var zero = Distinct(2, 3);
        zero.Set(0, 1, 1);
        yield return new OpSample(OpTable.CumProd, Attributes.Of("axis", 1), [zero]);
        yield return new OpSample(OpTable.CumProd, Attributes.Of("axis", 1, "reverse", true), [zero]);
    }

    private static IEnumerable<OpSample> MoreShapes()
    {
        var size = Attributes.Of("size", 4, "dtype", DType.Float64);
        yield return new OpSample(OpTable.Iota, size, []);
        yield return new OpSample(OpTable.Squeeze, Attributes.Of("axis", 1), [Normal(2, 1, 3)]);
        yield return new OpSample(OpTable.Unsqueeze, Attributes.Of("axis", 1), [Normal(2, 3)]);
        yield return new OpSample(OpTable.Stack, Attributes.Of("axis", 1), [Normal(2, 3), Away(2, 3)]);
        yield return new OpSample(OpTable.Split, Attributes.Of("axis", 1, "sizes", new[] { 2, 3 }),
            [Normal(2, 5)])
        { Differentiable = [0, 1] };
        yield return new OpSample(OpTable.Pad,
            Attributes.Of("axis", 1, "before", 1).With("after", 2).With("value", 0.5), [Normal(2, 3)]);
        yield return new OpSample(OpTable.Tile, Attributes.Of("repeats", new[] { 2, 1, 3 }), [Normal(2, 2)]);
        yield return new OpSample(OpTable.Roll, Attributes.Of("axis", 1, "shift", -1), [Normal(2, 4)]);
        yield return new OpSample(OpTable.Flip, Attributes.Of("axis", 1), [Normal(2, 3, 2)]);
        foreach (var k in new[] { -1, 0, 1 })
        {
            yield return new OpSample(OpTable.Tril, Attributes.Of("k", k), [Normal(2, 3, 4)]);
            yield return new OpSample(OpTable.Triu, Attributes.Of("k", k), [Normal(4, 3)]);
        }

        yield return new OpSample(OpTable.Diag, Attributes.None, [Normal(3, 3)]);
        yield return new OpSample(OpTable.Diag, Attributes.None, [Normal(3)]);
        yield return new OpSample(OpTable.Trace, Attributes.None, [Normal(2, 3, 3)]);
        yield return new OpSample(OpTable.Kron, Attributes.None, [Normal(2, 2), Normal(2, 3)]);
        yield return new OpSample(OpTable.Meshgrid, Attributes.None,
            [Normal(2), Normal(3)])
        { Differentiable = [0, 1] };
        yield return new OpSample(OpTable.Permute, Attributes.Of("perm", new[] { 1, 2, 0 }), [Normal(2, 3, 4)]);
    }

    private static IEnumerable<OpSample> Indices()
    {
        yield return new OpSample(OpTable.Gather, Attributes.Of("axis", 1), [Normal(2, 4), Ids(4, 2, 3)]);
        yield return new OpSample(OpTable.Gather, Attributes.Of("axis", 0), [Normal(3, 2, 2), Ids(3, 4, 2, 2)]);
        yield return new OpSample(OpTable.ScatterAdd, Attributes.Of("axis", 1),
            [Normal(2, 4), Ids(4, 2, 5), Normal(2, 5)]);
        yield return new OpSample(OpTable.IndexSelect, Attributes.Of("axis", 1), [Normal(2, 4, 2), Ids(4, 5)]);
        yield return new OpSample(OpTable.IndexAdd, Attributes.Of("axis", 1, "size", 4), [Normal(2, 5, 2), Ids(4, 5)]);
        yield return new OpSample(OpTable.OneHot, Attributes.Of("classes", 4, "dtype", DType.Float64),
            [Ids(4, 2, 3)])
        { IsSmooth = false };
        yield return new OpSample(OpTable.Mark, Attributes.Of("value", 2, "dtype", DType.Float64),
            [Ids(4, 2, 5)])
        { IsSmooth = false };
        yield return new OpSample(OpTable.Replace, Attributes.Of("value", 2, "with", 7),
            [Ids(4, 2, 5)])
        { IsSmooth = false };
        foreach (var descending in new[] { false, true })
        {
            yield return new OpSample(OpTable.Sort, Attributes.Of("axis", 1, "descending", descending),
                [Distinct(2, 4, 3)]);
            yield return new OpSample(OpTable.TopK, Attributes.Of("axis", 1, "k", 2).With("smallest", descending),
                [Distinct(2, 4, 3)]);
        }
    }

    private static Tensor Inside(params int[] shape) => Make(shape, 4, (x, _) => 0.8 * Math.Tanh(x));

    private static Tensor Shifted(params int[] shape) =>
        Make(shape, 5, (x, _) => 0.15 + (0.7 * Math.Abs(Math.Tanh(x + 0.4))));

    private static Tensor Plus(Tensor x, double add)
    {
        var values = x.Writable<double>();
        for (var i = 0; i < values.Length; i++) values[i] += add;
        return x;
    }
}
