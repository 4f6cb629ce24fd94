using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>OPS-07, OPS-17: derivatives where functions have two slopes, and gradients of ties.</summary>
public sealed class KinkTests
{
    [Theory]
    [InlineData("first", new double[] { 1, 0, 0, 0 })]
    [InlineData("last", new double[] { 0, 0, 0, 1 })]
    [InlineData("share", new[] { 0.25, 0.25, 0.25, 0.25 })]
    public void WindowsOfEquals_GiveTheGradientToTheOneChosen(string ties, double[] expected)
    {
        var x = new Variable(Tensor.Of<double>([5, 5, 5, 5], new Shape(1, 1, 2, 2)), requiresGradient: true);
        var y = (Variable)x.MaxPool2d(2, ties: ties);
        Assert.Equal([5], y.Data.ToArray<double>());
        ((Variable)y.Sum()).Backward();
        Assert.Equal(expected, x.Gradient!.ToArray<double>());
    }

    [Fact]
    public void Elu_KeepsTheDigitsOfSmallNumbers()
    {
        float[] numbers = [-1e-8f, -1e-5f, -3e-3f, -0.1f, -0.49f, -0.51f, -2, -20, 3];
        var y = ((Variable)new Variable(Tensor.Of<float>(numbers, numbers.Length)).Elu()).Data.ToArray<float>();
        for (var i = 0; i < y.Length; i++)
        {
            // e^x - 1 by its series, in float64.
            var (sum, term) = (0.0, 1.0);
            for (var k = 1; k < 200; k++) sum += term *= (double)numbers[i] / k;
            var expected = numbers[i] > 0 ? numbers[i] : sum;
            Assert.True(Math.Abs(y[i] - expected) <= 3e-7 * Math.Abs(expected), $"{numbers[i]}: {y[i]} {expected}");
        }
    }

    private const double SeluRight = 1.0507009873554804934;
    private const double SeluLeft = SeluRight * 1.6732632423543772848;

    private sealed record TwoSlopes(
        Func<Value, double?, Value> F, double At, double Default, double Left, double Right);

    private static readonly Dictionary<string, TwoSlopes> Kinks = new()
    {
        ["relu"] = new((x, k) => x.Relu(k), 0, 0, 0, 1),
        ["abs"] = new((x, k) => x.Abs(k), 0, 0, -1, 1),
        ["leaky-relu"] = new((x, k) => x.LeakyRelu(0.2, k), 0, 0.2, 0.2, 1),
        ["elu"] = new((x, k) => x.Elu(0.5, k), 0, 0.5, 0.5, 1),
        ["selu"] = new((x, k) => x.Selu(k), 0, SeluLeft, SeluLeft, SeluRight),
        ["relu6 low"] = new((x, k) => x.Relu6(k), 0, 0, 0, 1),
        ["relu6 high"] = new((x, k) => x.Relu6(k), 6, 0, 1, 0),
        ["hard-tanh low"] = new((x, k) => x.HardTanh(k), -1, 0, 0, 1),
        ["hard-tanh high"] = new((x, k) => x.HardTanh(k), 1, 0, 1, 0),
        ["hard-sigmoid low"] = new((x, k) => x.HardSigmoid(k), -3, 0, 0, 1.0 / 6),
        ["hard-sigmoid high"] = new((x, k) => x.HardSigmoid(k), 3, 0, 1.0 / 6, 0),
        ["hard-swish low"] = new((x, k) => x.HardSwish(k), -3, -0.5, 0, -0.5),
        ["hard-swish high"] = new((x, k) => x.HardSwish(k), 3, 1, 1.5, 1),
        ["clamp low"] = new((x, k) => x.Clamp(-2, 5, k), -2, 1, 0, 1),
        ["clamp high"] = new((x, k) => x.Clamp(-2, 5, k), 5, 1, 1, 0),
    };

    public static TheoryData<string> Names() => [.. Kinks.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheSlopeAtAKink_IsTheChosenOne(string name)
    {
        var (f, at, otherwise, left, right) = Kinks[name];
        Assert.Equal(otherwise, Slope(x => f(x, null), at), 12);
        Assert.Equal(left, Slope(x => f(x, 0), at), 12);
        Assert.Equal(right, Slope(x => f(x, 1), at), 12);
        Assert.Equal(left + (0.25 * (right - left)), Slope(x => f(x, 0.25), at), 12);
        // The two slopes are those on either side, and beside the kink nothing changes.
        Assert.Equal(left, Slope(x => f(x, 0.25), at - 1e-9), 8);
        Assert.Equal(right, Slope(x => f(x, 0.25), at + 1e-9), 8);
        Assert.Equal(Slope(x => f(x, 0.25), at), Tangent(x => f(x, 0.25), at), 12);
        Assert.Equal(
            ((Variable)f(new Variable(Tensor.Of([at], 1)), null)).Data.At(0),
            ((Variable)f(new Variable(Tensor.Of([at], 1)), 0.7)).Data.At(0));
    }

    [Fact]
    public void EqualOperands_ShareTheGradient_OrAsChosen()
    {
        Assert.Equal([0.5, 0.5], Shares((x, y) => x.Maximum(y)));
        Assert.Equal([1.0, 0], Shares((x, y) => x.Maximum(y, 1)));
        Assert.Equal([0.3, 0.7], Shares((x, y) => x.Minimum(y, 0.3)));
        Assert.Equal([0.5, 0.5], Shares((x, y) => x.Minimum(y)));

        static double[] Shares(Func<Value, Value, Value> f)
        {
            Variable[] x = [new(Tensor.Of([2.0], 1), true), new(Tensor.Of([2.0], 1), true)];
            return [.. Differentiate.Gradient([(Variable)f(x[0], x[1])], x).Select(g => g.Data.At(0))];
        }
    }

    [Fact]
    public void EqualElements_ShareTheGradient_OrOneOfThemGetsIt()
    {
        var x = Tensor.Of([1.0, 3, 3, 3, 0, 3], 2, 3);
        Near([0, 0.25, 0.25, 0.25, 0, 0.25], Of(x, v => v.Max()));
        Near([0, 1, 0, 0, 0, 0], Of(x, v => v.Max(ties: "first")));
        Near([0, 0, 0, 0, 0, 1], Of(x, v => v.Max(ties: "last")));
        Near([0, 1, 0, 1, 0, 0], Of(x, v => v.Max([1], ties: "first")));
        Near([0, 1, 1, 1, 0, 0], Of(x, v => v.Max([0], ties: "first")));
        Near([0, 0, 1, 0, 0, 1], Of(Negative(x), v => v.Min([1], keep: true, ties: "last")));
        Near([0, 0.5, 0.5, 0.5, 0, 0.5], Of(Negative(x), v => v.Min([1])));
    }

    /// <summary>The first of several axes at once is the first in row-major order of these axes.</summary>
    [Fact]
    public void Ties_OverSeveralAxes_GoByTheirOrder()
    {
        var gradient = Of(Tensor.Ones(DType.Float64, 2, 3, 2), v => v.Max([0, 2], ties: "last"));
        var expected = new double[12];
        for (var j = 0; j < 3; j++) expected[6 + (j * 2) + 1] = 1;
        Near(expected, gradient);
    }

    [Fact]
    public void Pools_AndNorms_TakeTheChoiceAlong()
    {
        var image = Tensor.Ones(DType.Float64, 1, 1, 4);
        var pool = Attributes.Of("kernel", 2, "ties", "first");
        Near([1, 0, 1, 0], Of(image, v => v.Apply(OpTable.MaxPoolNd, pool)));
        var norm = Attributes.Of("axes", new[] { 0 }, "p", 1).With("kink", 1.0);
        Near([1, 1, -1], Of(Tensor.Of([0.0, 2, -2], 3), v => v.Apply(OpTable.Norm, norm)));
    }

    [Fact]
    public void WrongChoices_AreRefused()
    {
        var x = new Variable(Tensor.Of([1.0], 1));
        Assert.Contains("relu: kink is 0 (left slope) to 1 (right slope), not 2",
            Assert.Throws<ShapeException>(() => x.Relu(2)).Message, StringComparison.Ordinal);
        Assert.Contains("max: ties is share, first or last, not both",
            Assert.Throws<ShapeException>(() => x.Max(ties: "both")).Message, StringComparison.Ordinal);
    }

    /// <summary>The attribute travels with a graph, and no pass may lose it.</summary>
    [Fact]
    public void AChosenKink_IsNotFusedAway()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", DType.Float32, Dim.Batch, 3);
        var w = graph.Parameter("w", ParameterInit.Normal(1), 2, 3);
        graph.Output("loss_sum", x.Linear(w).Relu(0.5).Sum());
        var passed = PassPipeline.Forward(graph.Build());
        Assert.Contains(passed.Nodes, n => n.Op == OpTable.Relu && n.Attributes.Number("kink") == 0.5);
    }

    private static Tensor Negative(Tensor x) => ((Variable)(-new Variable(x))).Data;

    private static double Slope(Func<Value, Value> f, double at)
    {
        var x = new Variable(Tensor.Of([at], 1), true);
        return Differentiate.Gradient([(Variable)f(x)], [x])[0].Data.At(0);
    }

    private static double Tangent(Func<Value, Value> f, double at)
    {
        var x = new Variable(Tensor.Of([at], 1), true);
        return Differentiate.Forward([(Variable)f(x)], [x], [new Variable(Tensor.Of([1.0], 1))])[0].Data.At(0);
    }

    private static Tensor Of(Tensor x, Func<Value, Value> f)
    {
        var v = new Variable(x, true);
        return Differentiate.Gradient([(Variable)f(v).Sum()], [v])[0].Data;
    }

    private static void Near(double[] expected, Tensor actual)
    {
        var values = actual.ToArray<double>();
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], values[i], 12);
    }
}
