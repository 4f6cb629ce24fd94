using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

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
}
