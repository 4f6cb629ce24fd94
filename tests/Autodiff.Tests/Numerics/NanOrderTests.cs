using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Numerics;

/// <summary>
/// OPS-07, OPS-13, OPS-19: where elements are put in order, a NaN is the largest of all, and whoever it is chosen from
/// gives it the gradient.
/// </summary>
public sealed class NanOrderTests
{
    private const double NaN = double.NaN;

    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private static double[] Numbers(Value value) => ((Variable)value).Data.ToArray<double>();

    private static int[] Places(Value value) => ((Variable)value).Data.ToArray<int>();

    private static double[] Slopes(Variable x, Value y)
    {
        ((Variable)y.Sum()).Backward();
        return x.Gradient!.ToArray<double>();
    }

    [Fact]
    public void ANaN_IsTheLargest_InBothDirections()
    {
        var x = Of(2, NaN, -1, double.PositiveInfinity, NaN, 2);
        Assert.Equal([-1, 2, 2, double.PositiveInfinity, NaN, NaN], Numbers(x.Sort(0).Values));
        Assert.Equal([2, 0, 5, 3, 1, 4], Places(x.Sort(0).Places));
        Assert.Equal([NaN, NaN, double.PositiveInfinity, 2, 2, -1], Numbers(x.Sort(0, descending: true).Values));
        Assert.Equal([1, 4, 3, 0, 5, 2], Places(x.Sort(0, descending: true).Places));
        Assert.Equal([NaN, NaN, double.PositiveInfinity], Numbers(x.TopK(0, 3).Values));
        Assert.Equal([-1, 2, 2], Numbers(x.TopK(0, 3, smallest: true).Values));
        Assert.Equal(1, Places(x.ArgMax(0))[0]);
    }

    [Theory]
    [InlineData("first", 1, 0)]
    [InlineData("last", 0, 1)]
    [InlineData("share", 0.5, 0.5)]
    public void AnExtremeThatIsANaN_HasTheGradientOfTheNaNs(string ties, double first, double second)
    {
        foreach (var largest in new[] { true, false })
        {
            var x = new Variable(Tensor.Of([1, NaN, 3, NaN, 5, 5.0, 4, 4], 2, 4), requiresGradient: true);
            var y = largest ? x.Max([1], ties: ties) : x.Min([1], ties: ties);
            double[] rest = largest ? [first, second, 0, 0] : [0, 0, first, second];
            Assert.Equal([0, first, 0, second, .. rest], Slopes(x, y));
        }
    }

    [Fact]
    public void AWindowWithANaN_GivesItTheGradient_HoweverTheWindowIsWritten()
    {
        (string Name, Func<Value, Value> Pool)[] pools =
        [
            ("2-d", x => x.MaxPool2d(2)), ("n-d", x => x.MaxPool([2, 2])), ("adaptive", x => x.AdaptiveMaxPool([1, 2])),
        ];
        foreach (var (name, pool) in pools)
        {
            var x = new Variable(Tensor.Of([1, 7, 3, 4, 9, NaN, 5, 6], 1, 1, 2, 4), requiresGradient: true);
            var y = pool(x);
            Assert.Equal([NaN, 6], Numbers(y));
            Assert.True(Slopes(x, y) is [0, 0, 0, 0, 0, 1, 0, 1], name);
        }
    }

    // OPS-13: windows at the edge of a plane of -∞ see padding of the same value; it is no element of theirs.
    [Theory]
    [InlineData("first", new double[] { 2, 1, 0 })]
    [InlineData("last", new double[] { 0, 1, 2 })]
    [InlineData("share", new[] { 1 / 2.0 + 1 / 3.0, 1 / 2.0 + 1 / 3.0 + 1 / 2.0, 1 / 3.0 + 1 / 2.0 })]
    public void PaddingIsNeverChosen(string ties, double[] expected)
    {
        const double Least = double.NegativeInfinity;
        var x = new Variable(Tensor.Of([Least, Least, Least], 1, 1, 3), requiresGradient: true);
        var y = x.MaxPool([3], [1], [1], ties: ties);
        Assert.Equal([Least, Least, Least], Numbers(y));
        Assert.All(Slopes(x, y).Zip(expected), p => Assert.Equal(p.Second, p.First, 12));
    }

    [Fact]
    public void APlaneOfMinusInfinities_HasOneGradient_HoweverItsWindowsAreWritten()
    {
        var plane = Tensor.Full(DType.Float64, double.NegativeInfinity, new Shape(1, 1, 4, 3));
        plane.Set(1, 0, 0, 3, 2);
        double[] Of(Func<Value, Value> pool)
        {
            var x = new Variable(plane, requiresGradient: true);
            return Slopes(x, pool(x));
        }

        Assert.Equal(Of(x => x.MaxPool2d(3, 1, 1)), Of(x => x.MaxPool([3, 3], 1, 1)));
        Assert.Equal(Of(x => x.MaxPool2d(2, 2, 1)), Of(x => x.MaxPool([2, 2], 2, 1)));
    }

    [Fact]
    public void AWindowOfPaddingAlone_IsMinusInfinity_AndHasNoGradient()
    {
        foreach (var ties in new[] { "first", "last", "share" })
        {
            var x = new Variable(Tensor.Of([5.0], 1, 1, 1), requiresGradient: true);
            var y = x.MaxPool([2], 1, 1, 2, ties);
            Assert.Equal([double.NegativeInfinity], Numbers(y));
            Assert.Equal([0.0], Slopes(x, y));
        }
    }

    // MON-07, OPS-17: what a NaN hands back; the bounded functions are flat there, as they are outside.
    [Theory]
    [InlineData("relu", 1)]
    [InlineData("relu6", 0)]
    [InlineData("hard-tanh", 0)]
    [InlineData("hard-sigmoid", 0)]
    [InlineData("clamp", 0)]
    [InlineData("hard-swish", NaN)]
    [InlineData("leaky-relu", 0.01)]
    [InlineData("elu", NaN)]
    [InlineData("abs", 0)]
    public void TheSlopeAtANaN_IsThatOfTorch(string name, double expected)
    {
        foreach (var type in new[] { DType.Float32, DType.Float64 })
        {
            var x = new Variable(Tensor.Full(type, NaN, new Shape(37)), requiresGradient: true);
            var y = x.Apply(OpTable.Find(name)!, name == "clamp" ? Attributes.Of("min", -1, "max", 1) : Attributes.None);
            ((Variable)y.Sum()).Backward();
            Assert.All(x.Gradient!.Cast(DType.Float64).ToArray<double>(), v => Assert.Equal(expected, v, 8));
        }
    }

    [Fact]
    public void ANaN_HandsTheGradientOfRelu_On_FusedOrChosen()
    {
        double[] By(KinkRule? rule)
        {
            var x = Of(NaN, -1, 2, 0);
            using var chosen = rule is { } r ? Subgradients.Use(r) : null;
            return Slopes(x, x.Relu());
        }

        Assert.Equal([1, 0, 1, 0], By(null));
        Assert.Equal([1, 0, 1, 0], By(KinkRule.Left));
        Assert.Equal([1, 0, 1, 1], By(KinkRule.Right));
        Assert.Equal([1, 0, 1, 0.5], By(KinkRule.Middle));
        var w = new Variable(Tensor.Of([NaN, 1.0], 2, 1), requiresGradient: true);
        var y = new Variable(Tensor.Ones(DType.Float64, 1, 1)).Apply(OpTable.Linear, Attributes.Of("activation", "relu"), w);
        Assert.Equal([1.0, 1.0], Slopes(w, y));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(KinkRule.Left)]
    [InlineData(KinkRule.LeastNorm)]
    public void TheLargerOfANaN_HandsTheGradientToBoth(KinkRule? rule)
    {
        using var chosen = rule is { } r ? Subgradients.Use(r) : null;
        foreach (var larger in new[] { true, false })
        {
            var (a, b) = (Of(NaN, 1, NaN, 3), Of(1, NaN, NaN, 4));
            ((Variable)(larger ? a.Maximum(b) : a.Minimum(b)).Sum()).Backward();
            Assert.Equal([1, 1, 1, larger ? 0.0 : 1], a.Gradient!.ToArray<double>());
            Assert.Equal([1, 1, 1, larger ? 1.0 : 0], b.Gradient!.ToArray<double>());
        }
    }

    // OPS-01, OPS-18: flat or straight at infinity, never 0 times infinity.
    [Fact]
    public void SlopesAtInfinity_AreTheLimits()
    {
        const double Large = double.PositiveInfinity;
        var (x, d) = (Of(Large, -Large), Of(Large, -Large, 0.5));
        Assert.Equal([1, 0], Slopes(x, x.Elu()));
        Assert.Equal([2, -2, 0.5], Slopes(d, d.HuberLoss(Of(0, 0, 0), delta: 2, reduction: "none")));
    }
}
