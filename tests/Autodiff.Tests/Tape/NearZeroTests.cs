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

    [Theory]
    [InlineData(DType.Float32, 1e4, 1e-6)]
    [InlineData(DType.Float32, 1e30, 1e-6)]
    [InlineData(DType.Float64, 1e8, 1e-14)]
    [InlineData(DType.Float64, 1e300, 1e-14)]
    public void LogSoftmaxAndCrossEntropy_DoNotDependOnTheSizeOfTheLogits(DType type, double size, double tolerance)
    {
        // GV-05: the logarithm of the sum was added to the largest logit, beside which it is lost: from 1e8 on the loss
        // of three equal classes was 0, with the gradient of none of them.
        foreach (var classes in new[] { 3, 32 })
        {
            var x = new Variable(Tensor.Full(type, size, new Shape(2, classes)), requiresGradient: true);
            var loss = x.CrossEntropy(new Variable(Tensor.Of([1, 0], 2)));
            double[] expected = [.. Enumerable.Repeat(Math.Log(classes), 2)];
            Near(expected, loss);
            Near([.. Enumerable.Repeat(-Math.Log(classes), 2 * classes)], x.LogSoftmax());
            ((Variable)loss.Sum()).Backward();
            Near([.. Enumerable.Range(0, 2 * classes).Select(i => (1.0 / classes) - (i == 1 || i == classes ? 1 : 0))],
                new Variable(x.Gradient!));
        }

        void Near(double[] expected, Value actual)
        {
            var values = ((Variable)actual).Data.Cast(DType.Float64).ToArray<double>();
            for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], values[i], tolerance);
        }
    }

    [Fact]
    public void LogGamma_OfTheSmallestNumber_IsFinite()
    {
        var x = new Variable(Tensor.Of([double.Epsilon, -1e-310], 2));
        var y = ((Variable)x.Lgamma()).Data;
        Assert.Equal(744.4400719213812, y.At(0), 1e-12);
        Assert.Equal(-Math.Log(1e-310), y.At(1), 1e-12);
    }
}
