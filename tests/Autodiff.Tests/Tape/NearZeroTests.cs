using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>OPS-04: ln(1 + x), e^x - 1 and what is made of them keep the digits of a small x, in both element
/// types.</summary>
public sealed class NearZeroTests
{
    [Theory]
    [InlineData(1e-300)]
    [InlineData(-3e-20)]
    [InlineData(1e-9)]
    [InlineData(-0.3)]
    [InlineData(0.499)]
    [InlineData(0.501)]
    [InlineData(40)]
    public void SmallArguments_KeepTheirDigits(double x)
    {
        // Power series, whose first terms are all there is of a small x.
        double Exp() => Sum(n => Math.Pow(x, n) / Enumerable.Range(1, n).Aggregate(1.0, (f, k) => f * k), 150);
        double Log() => Math.Abs(x) < 0.5 ? Sum(n => Math.Pow(x, n) / n * (n % 2 == 0 ? -1 : 1), 80) : Math.Log(1 + x);
        Check(Exp(), v => v.Expm1());
        Check(Log(), v => v.Log1p());
        // In float32 elu computes in registers, where e^x - 1 is taken as it stands.
        if (x < 0) Check(2 * Exp(), v => v.Elu(2), inFloat32: false);

        void Check(double expected, Func<Value, Value> f, bool inFloat32 = true)
        {
            var wide = new Variable(Tensor.Of([x], 1));
            Assert.Equal(1, ((Variable)f(wide)).Data.At(0) / expected, 4e-15);
            if (!inFloat32 || Math.Abs(x) < 1e-37) return;
            var narrow = new Variable(wide.Data.Cast(DType.Float32));
            Assert.Equal(1, ((Variable)f(narrow)).Data.At(0) / expected, 1e-6);
        }

        double Sum(Func<int, double> term, int count) => Enumerable.Range(1, count).Reverse().Sum(term);
    }

    [Fact]
    public void EndsOfTheRange()
    {
        double At(Func<Value, Value> f, double x) => ((Variable)f(new Variable(Tensor.Of([x], 1)))).Data.At(0);
        Assert.Equal(double.PositiveInfinity, At(v => v.Expm1(), 1000));
        Assert.Equal(-1, At(v => v.Expm1(), double.NegativeInfinity));
        Assert.Equal(double.PositiveInfinity, At(v => v.Log1p(), double.PositiveInfinity));
        Assert.Equal(double.NegativeInfinity, At(v => v.Log1p(), -1));
        Assert.True(double.IsNaN(At(v => v.Log1p(), -2)));
        Assert.Equal(-1e-20, At(v => v.LogSigmoid(), 20 * Math.Log(10)), 1e-33);
    }
}
