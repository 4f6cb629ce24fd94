using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Samples of logic with a temperature, with weights, and in logarithms of probabilities.
internal static partial class OpSamples
{
    private static readonly Op[] SmoothPairs =
    [
        OpTable.AndSmooth, OpTable.OrSmooth, OpTable.NandSmooth, OpTable.NorSmooth, OpTable.XorSmooth,
        OpTable.ImpliesSmooth,
    ];

    private static readonly Op[] Weighted = [OpTable.ExistsWeighted, OpTable.ForAllWeighted, OpTable.WeightedMean];

    private static readonly Op[] OfLogarithms = [OpTable.LogExists, OpTable.LogForAll];

    private static IEnumerable<OpSample> GradedLogic()
    {
        foreach (var (a, b) in Broadcasts())
            foreach (var op in SmoothPairs)
                yield return new OpSample(op, Attributes.Of("temperature", 0.4), [Truths(a), Truths(b, 1)])
                {
                    Broadcasts = true,
                };
        foreach (var axes in new int[][] { [0], [1, 2] })
        {
            foreach (var keep in new[] { false, true })
            {
                var attributes = Attributes.Of("axes", axes, "keep", keep);
                foreach (var op in Weighted)
                    yield return new OpSample(op, attributes, [Truths([2, 3, 4]), Positive(2, 3, 4)]);
                foreach (var op in OfLogarithms) yield return new OpSample(op, attributes, [Below(2, 3, 4)]);
            }
        }

        // Far below -ln 2 and just below 0: the two sides of the formula.
        yield return new OpSample(OpTable.LogNot, Attributes.None, [Below(3, 5)]);
        yield return new OpSample(OpTable.LogNot, Attributes.None, [Tensor.Of([-9.0, -3, -0.2, -0.01], 4)]);
    }

    private static IEnumerable<OpSample> EmptyGradedLogic()
    {
        foreach (var op in SmoothPairs) yield return new OpSample(op, Attributes.None, [Normal(0, 3), Normal(3)]);
        foreach (var op in Weighted)
            yield return new OpSample(op, Attributes.Of("axes", new[] { 1 }), [Normal(0, 3), Normal(0, 3)]);
        foreach (var op in OfLogarithms)
            yield return new OpSample(op, Attributes.Of("axes", new[] { 1 }), [Normal(0, 3)]);
        yield return new OpSample(OpTable.LogNot, Attributes.None, [Normal(0, 3)]);
    }

    // Away from 0 and 1, where weights have no slope.
    private static Tensor Truths(int[] dims, ulong stream = 0) =>
        Mapped(Normal(dims), v => 1 / (1 + Math.Exp(-v - (0.3 * stream))));

    private static Tensor Below(params int[] dims) => Mapped(Positive(dims), v => -v);

    private static Tensor Mapped(Tensor x, Func<double, double> f) =>
        Tensor.Of<double>([.. x.ToArray<double>().Select(f)], x.Shape);
}
