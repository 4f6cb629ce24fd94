using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>LOG-02 to LOG-06: logic of truth values in [0, 1], hard, soft, weighted and in logarithms.</summary>
public sealed class LogicTests
{
    private static readonly double[] A = [0, 0, 1, 1, 0.2, 0.7, 0.5];
    private static readonly double[] B = [0, 1, 0, 1, 0.9, 0.4, 0.1];

    private static double[] Numbers(Value v) => ((Variable)v).Data.ToArray<double>();

    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), true);

    private static void Near(IEnumerable<double> expected, Value actual, double tolerance = 1e-12) =>
        Assert.All(expected.Zip(Numbers(actual)), p => Assert.Equal(p.First, p.Second, tolerance));

    [Fact]
    public void Operators_AreTheirFormulas_AndTruthTablesAtTheCorners()
    {
        // LOG-02
        var (a, b) = (Of(A), Of(B));
        Near(A.Zip(B, Math.Max), a.OrMax(b));
        Near(A.Zip(B, (x, y) => x + y - (x * y)), a.OrProbSum(b));
        Near(A.Zip(B, (x, y) => 1 - (x * y)), a.Nand(b));
        Near(A.Zip(B, (x, y) => 1 - Math.Max(x, y)), a.Nor(b));
        Near(A.Zip(B, (x, y) => x + y - (2 * x * y)), a.Xor(b));
        Near(A.Zip(B, (x, y) => 1 - x + (x * y)), a.Implies(b));
        Assert.Equal([0, 1, 1, 1], Numbers(a.OrProbSum(b))[..4]);
        Assert.Equal([1, 1, 1, 0], Numbers(a.Nand(b))[..4]);
        Assert.Equal([1, 0, 0, 0], Numbers(a.Nor(b))[..4]);
        Assert.Equal([0, 1, 1, 0], Numbers(a.Xor(b))[..4]);
        Assert.Equal([1, 1, 0, 1], Numbers(a.Implies(b))[..4]);
    }

    [Fact]
    public void Gradients_OfOperators_AreTheirFormulas()
    {
        // LOG-02: at 0.7 and 0.4.
        (Func<Value, Value, Value> F, double Da, double Db)[] all =
        [
            (Functions.OrMax, 1, 0), (Functions.OrProbSum, 0.6, 0.3), (Functions.Nand, -0.4, -0.7),
            (Functions.Nor, -1, 0), (Functions.Xor, 0.2, -0.4), (Functions.Implies, -0.6, 0.7),
            (Functions.AndProb, 0.4, 0.7), (Functions.AndMin, 0, 1),
        ];
        foreach (var (f, da, db) in all)
        {
            var (a, b) = (Of(0.7), Of(0.4));
            ((Variable)f(a, b)).Backward();
            Assert.Equal((da, db), (Math.Round(a.Gradient!.At(0), 12), Math.Round(b.Gradient!.At(0), 12)));
        }
    }

    public static TheoryData<string> Graded() => ["and", "or", "nand", "nor", "xor", "implies"];

    private static Value Soft(string name, Value x, Value y, double t) => name switch
    {
        "and" => x.AndSmooth(y, t),
        "or" => x.OrSmooth(y, t),
        "nand" => x.NandSmooth(y, t),
        "nor" => x.NorSmooth(y, t),
        "xor" => x.XorSmooth(y, t),
        _ => x.ImpliesSmooth(y, t),
    };

    private static double Hard(string name, double x, double y) => name switch
    {
        "and" => Math.Min(x, y),
        "or" => Math.Max(x, y),
        "nand" => 1 - Math.Min(x, y),
        "nor" => 1 - Math.Max(x, y),
        "xor" => Math.Min(Math.Max(x, y), 1 - Math.Min(x, y)),
        _ => Math.Max(1 - x, y),
    };

    [Theory]
    [MemberData(nameof(Graded))]
    public void Temperature_GoesFromTheMeanToTheHardOperator(string name)
    {
        // LOG-03
        double Worst(double t) => Numbers(Soft(name, Of(A), Of(B), t))
            .Zip(A.Zip(B, (x, y) => Hard(name, x, y)), (soft, hard) => Math.Abs(soft - hard)).Max();
        Assert.True(Worst(1e-3) < 3e-3, $"{Worst(1e-3)}");
        Assert.True(Worst(1e-3) < Worst(0.1) && Worst(0.1) < Worst(1));
        foreach (var t in new[] { 1e-3, 0.1, 1, 100 })
            Assert.All(Numbers(Soft(name, Of(A), Of(B), t)), v => Assert.InRange(v, -1e-12, 1 + 1e-12));
        // A gradient flows to both operands, where the hard operator chooses one.
        var results = GradCheck.Run(
            x => (Variable)Soft(name, x[0], x[1], 0.3), [Tensor.Of([0.2, 0.7], 2), Tensor.Of([0.9, 0.4], 2)]);
        Assert.All(results, r => Assert.True(GradCheck.Passes(r), r.ToString()));
        var (a, b) = (Of(0.7), Of(0.4));
        ((Variable)Soft(name, a, b, 0.3)).Backward();
        Assert.True(a.Gradient!.At(0) != 0 && b.Gradient!.At(0) != 0);
        Assert.Contains("temperature", Assert.Throws<ShapeException>(() => Soft(name, a, b, 0)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Quantifiers_InThreeReadings_WithTheirGradients()
    {
        // LOG-04
        double[] x = [0.2, 0.9, 0.5];
        Near([0.9], Of(x).Exists(Quantifier.Hard).Reshape(1));
        Near([0.2], Of(x).ForAll(Quantifier.Hard).Reshape(1));
        Near([1 - (0.8 * 0.1 * 0.5)], Of(x).Exists(Quantifier.Probabilistic).Reshape(1));
        Near([0.2 * 0.9 * 0.5], Of(x).ForAll(Quantifier.Probabilistic).Reshape(1));
        Near([0.9], Of(x).Exists(Quantifier.Smooth, temperature: 1e-4).Reshape(1), 2e-4);
        Near([0.2], Of(x).ForAll(Quantifier.Smooth, temperature: 1e-4).Reshape(1), 2e-4);

        double[] Slope(Func<Value, Value> f)
        {
            var free = Of(x);
            ((Variable)f(free)).Backward();
            return free.Gradient!.ToArray<double>();
        }

        Assert.Equal([0, 1, 0], Slope(v => v.Exists(Quantifier.Hard)));
        Assert.Equal([1, 0, 0], Slope(v => v.ForAll(Quantifier.Hard)));
        Assert.Equal([0.05, 0.4, 0.08], Slope(v => v.Exists(Quantifier.Probabilistic)).Select(g => Math.Round(g, 12)));
        Assert.Equal([0.45, 0.1, 0.18], Slope(v => v.ForAll(Quantifier.Probabilistic)).Select(g => Math.Round(g, 12)));
        // The smooth gradient is a softmax of x / t, of -x / t for "all".
        double[] Softmax(double t) =>
            [.. x.Select(v => Math.Exp(v / t) / x.Sum(w => Math.Exp(w / t)))];
        Assert.All(Slope(v => v.Exists(Quantifier.Smooth, temperature: 0.3)).Zip(Softmax(0.3)),
            p => Assert.Equal(p.Second, p.First, 12));
        Assert.All(Slope(v => v.ForAll(Quantifier.Smooth, temperature: 0.3)).Zip(Softmax(-0.3)),
            p => Assert.Equal(p.Second, p.First, 12));
    }

    [Theory]
    [InlineData(Quantifier.Hard, "min")]
    [InlineData(Quantifier.Probabilistic, "product")]
    [InlineData(Quantifier.Smooth, "log")]
    public void AReading_IsChosenWhenAGraphIsBuilt_AndTravelsInIt(Quantifier reading, string part)
    {
        // LOG-05: "all" through a smallest element or a product.
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float64, 2, 3);
        builder.Output("y", x.ForAll(reading, [1], temperature: 0.2));
        var graph = GraphCodec.Decode(GraphCodec.Encode(builder.Build()));
        Assert.Contains(graph.Nodes, n => n.Op.Name == part);
        var data = new Variable(Tensor.Of([0.2, 0.9, 0.5, 0.7, 0.6, 0.8], 2, 3));
        var run = GraphRunner.Run(graph, new Dictionary<string, Variable> { ["x"] = data })["y"];
        Assert.Equal(Numbers(data.ForAll(reading, [1], temperature: 0.2)), run.Data.ToArray<double>());
        if (reading == Quantifier.Hard) Assert.Equal([0.2, 0.6], run.Data.ToArray<double>());
        if (reading == Quantifier.Probabilistic) Near([0.09, 0.336], run);
    }

    [Fact]
    public void WeightedQuantifiers_CountEachElementAsItsWeightSays()
    {
        // LOG-06
        var (x, w) = (Of(0.2, 0.9, 0.5), Of(0, 1, 2));
        Near([0.9 * 0.25], x.ForAllWeighted(w).Reshape(1));
        Near([1 - (0.1 * 0.25)], x.ExistsWeighted(w).Reshape(1));
        Near([1.9 / 3], x.WeightedMean(w).Reshape(1));
        // Weights of 1 are the plain reading; equal weights the plain mean.
        var ones = Of(1, 1, 1);
        Near(Numbers(x.ForAllProb().Reshape(1)), x.ForAllWeighted(ones).Reshape(1));
        Near(Numbers(x.ExistsProb().Reshape(1)), x.ExistsWeighted(ones).Reshape(1));
        Near(Numbers(x.Mean().Reshape(1)), x.WeightedMean(ones * 7).Reshape(1));
        // One weight for all rows, a score for each row.
        var rows = new Variable(Tensor.Of([0.2, 0.9, 0.5, 1, 0, 1], 2, 3));
        Near([1.9 / 3, 2.0 / 3], rows.WeightedMean(w, [1]));
    }

    [Fact]
    public void Logarithms_OfProbabilities_AreRightWhereProbabilitiesRoundAway()
    {
        // LOG-06: ln p of -50 is a p of 2e-22, which 1 - p does not see.
        var p = Of(0.3, 0.8, 0.01);
        Near(p.Data.ToArray<double>().Select(v => Math.Log(1 - v)), p.Log().LogNot());
        Near([Math.Log(0.3 * 0.8 * 0.01)], p.Log().LogForAll().Reshape(1));
        Near([Math.Log(1 - (0.7 * 0.2 * 0.99))], p.Log().LogExists().Reshape(1));
        var rare = new Variable(Tensor.Full(DType.Float64, -50, new Shape(3)), true);
        var some = (Variable)rare.LogExists();
        Assert.Equal(Math.Log(3) - 50, some.Data.At(), 1e-12);
        some.Backward();
        Assert.All(rare.Gradient!.ToArray<double>(), g => Assert.Equal(1.0 / 3, g, 1e-12));
        Assert.Equal(-2e-22, Numbers(Of(-50).LogNot())[0], 1e-22);
        Assert.Equal(Math.Log(1e-9), Numbers(Of(-1e-9).LogNot())[0], 1e-9);
    }

    [Fact]
    public void SmoothQuantifiersOfNothing_AreNeutral_AndTemperaturesAreFinite()
    {
        // LOG-03, LOG-04: as the hard ones.
        var nothing = new Variable(Tensor.Zeros(DType.Float64, 2, 0), requiresGradient: true);
        Assert.Equal([0.0, 0], ((Variable)nothing.ExistsSmooth(0.1, [1])).Data.ToArray<double>());
        Assert.Equal([1.0, 1], ((Variable)nothing.ForAllSmooth(0.1, [1])).Data.ToArray<double>());
        Assert.Equal(2, ((Variable)nothing.ForAllSmooth(0.1, [1], keep: true)).Data.Rank);
        Assert.Throws<ShapeException>(() => nothing.ForAllSmooth(double.PositiveInfinity, [0]));
        Assert.Throws<ShapeException>(() => nothing.AndSmooth(nothing, double.PositiveInfinity));
    }
}
