using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// OPS-04, AD-05: gradients of products and running products: as much memory as elements, zeros among them, any order.
/// </summary>
public sealed class RunningProductTests
{
    private const int Many = 200_000;

    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private static double[] Slopes(Variable x, Value y)
    {
        ((Variable)y.Sum()).Backward();
        return x.Gradient!.ToArray<double>();
    }

    // A matrix of all pairs would take 320 GB.
    [Fact]
    public void GradientsOfLongProducts_TakeTheMemoryOfTheirElements()
    {
        var ones = Of([.. Enumerable.Repeat(1.0, Many)]);
        var zero = Of([.. Enumerable.Range(0, Many).Select(i => i == 7 ? 0.0 : i == 8 ? 3.0 : 1.0)]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var (running, whole) = (Slopes(ones, ones.CumProd(0)), Slopes(zero, zero.Product()));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64L * Many * sizeof(double));
        Assert.Equal(Enumerable.Range(0, Many).Select(j => (double)(Many - j)), running);
        Assert.Equal(Enumerable.Range(0, Many).Select(i => i == 7 ? 3.0 : 0.0), whole);
    }

    [Fact]
    public void ProductsAreMultilinear_AlsoWhereFactorsAreZero()
    {
        // Second derivatives of a product are the product of all others, and 0 on the diagonal.
        double[] x = [0, 2, 0, 3];
        var hessian = Derivatives.Hessian(v => (Variable)v.Product(), Tensor.Of(x, 4));
        for (var i = 0; i < 4; i++)
        {
            for (var j = 0; j < 4; j++)
            {
                var expected = i == j ? 0 : Enumerable.Range(0, 4).Where(k => k != i && k != j)
                    .Aggregate(1.0, (p, k) => p * x[k]);
                Assert.Equal(expected, hessian.At(i, j));
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RunningProducts_HaveTheGradientOfTheirFormula(bool reverse)
    {
        double[] x = [2, 0, 3, 0, 5], dy = [7, 11, 13, 17, 19];
        var free = Of(x);
        var y = free.Apply(OpTable.CumProd, Attributes.Of("axis", 0, "reverse", reverse));
        var found = Slopes(free, y * new Variable(Tensor.Of(dy, 5)));
        for (var j = 0; j < 5; j++)
        {
            var expected = 0.0;
            for (var i = 0; i < 5; i++)
            {
                if (reverse ? i > j : i < j) continue;
                var taken = Enumerable.Range(0, 5).Where(k => (reverse ? k >= i : k <= i) && k != j);
                expected += dy[i] * taken.Aggregate(1.0, (p, k) => p * x[k]);
            }

            Assert.Equal(expected, found[j]);
        }
    }

    [Fact]
    public void ARecurrence_GoesFromEitherEnd_AndStartsWithNothing()
    {
        var (a, b) = (Of(double.PositiveInfinity, 2, 3), Of(1, 10, 100));
        Assert.Equal([1, 12, 136], ((Variable)a.Recurrence(b, 0)).Data.ToArray<double>());
        var (c, d) = (Of(2, 3, double.NaN), Of(1, 10, 100));
        Assert.Equal([621, 310, 100], ((Variable)c.Recurrence(d, -1, reverse: true)).Data.ToArray<double>());
        // db_i = Σ of the products of what follows.
        Assert.Equal([9.0, 4, 1], Slopes(b, Of(5, 2, 3).Recurrence(b, 0)));
        var wrong = Assert.Throws<ShapeException>(() => a.Recurrence(Of(1, 2), 0));
        Assert.Contains("recurrence: [3] and [2] are not of one shape", wrong.Message, StringComparison.Ordinal);
    }
}
