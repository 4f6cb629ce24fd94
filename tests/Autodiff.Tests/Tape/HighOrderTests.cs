using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// HO-05, HO-06: derivatives up to the fourth order of chains of activations against truncated power series, which
/// share nothing with the tape. The limits are the table in docs/verify.md.
/// </summary>
public sealed class HighOrderTests
{
    private const int OrderMax = 4;

    // By order: the largest error over the largest derivative of that order on the points; float64 and float32.
    private static readonly double[] Limits64 = [1e-15, 1e-14, 1e-13, 1e-12, 1e-11];
    private static readonly double[] Limits32 = [1e-6, 1e-5, 5e-5, 5e-4, 5e-3];
    private static readonly double[] Points = [-2.5, -1.1, -0.3, 0.2, 0.9, 2.2];

    public static TheoryData<string, int> Chains()
    {
        var data = new TheoryData<string, int>();
        foreach (var name in Activations.Keys)
            foreach (var depth in new[] { 1, 2, 4, 8 }) data.Add(name, depth);
        return data;
    }

    private static readonly Dictionary<string, (Func<Value, Value> Op, Func<Series, Series> Reference)> Activations =
        new(StringComparer.Ordinal)
        {
            ["tanh"] = (x => x.Tanh(), x => x.Tanh()),
            ["sigmoid"] = (x => x.Sigmoid(), x => x.Sigmoid()),
            ["softplus"] = (x => x.Softplus(), x => x.Softplus()),
            ["silu"] = (x => x.Silu(), x => x * x.Sigmoid()),
            ["gelu"] = (x => x.Gelu(), x => x * x.NormalCdf()),
            ["mish"] = (x => x.Mish(), x => x * x.Softplus().Tanh()),
            ["sin"] = (x => x.Sin(), x => x.Sin()),
        };

    [Theory]
    [MemberData(nameof(Chains))]
    public void Derivatives_OfAChain_AreItsPowerSeries(string name, int depth)
    {
        var (op, reference) = Activations[name];
        Variable Chain(Variable x)
        {
            Value y = x;
            for (var i = 0; i < depth; i++) y = op(y * 1.1);
            return (Variable)y;
        }

        var expected = Points.Select(p =>
        {
            var y = Series.Variable(p, OrderMax);
            for (var i = 0; i < depth; i++) y = reference(y * 1.1);
            return y;
        }).ToArray();
        var wide = Tensor.Of(Points, Points.Length);
        for (var order = 0; order <= OrderMax; order++)
        {
            var exact = expected.Select(y => y.Derivative(order)).ToArray();
            Compare(exact, Derivatives.Nth(Chain, wide, order), Limits64[order], $"order {order}, float64");
            Compare(exact, Derivatives.Nth(Chain, wide.Cast(DType.Float32), order), Limits32[order],
                $"order {order}, float32");
        }
    }

    private static void Compare(double[] exact, Tensor found, double limit, string what)
    {
        var (top, values) = (exact.Max(Math.Abs), found.Cast(DType.Float64).ToArray<double>());
        var worst = exact.Zip(values, (e, v) => Math.Abs(e - v)).Max() / top;
        Assert.True(worst <= limit, $"{what}: {worst:e2} of {top:e2}, at most {limit:e0}");
    }

    /// <summary>c0 + c1 h + c2 h² …: the arithmetic of functions around a point, cut after some order.</summary>
    private sealed class Series(double[] c)
    {
        private readonly double[] _c = c;

        public static Series Variable(double at, int order)
        {
            var c = new double[order + 1];
            (c[0], c[1]) = (at, 1);
            return new Series(c);
        }

        public double Derivative(int n)
        {
            var factorial = 1.0;
            for (var k = 2; k <= n; k++) factorial *= k;
            return factorial * _c[n];
        }

        public static Series operator *(Series a, double b) => new([.. a._c.Select(v => v * b)]);

        public static Series operator *(Series a, Series b)
        {
            var c = new double[a._c.Length];
            for (var i = 0; i < c.Length; i++)
                for (var j = 0; i + j < c.Length; j++) c[i + j] += a._c[i] * b._c[j];
            return new Series(c);
        }

        public Series Tanh() => Solve(Math.Tanh(_c[0]), y => OneMinus(y * y));

        public Series Sigmoid() => Solve(1 / (1 + Math.Exp(-_c[0])), y => y * OneMinus(y));

        public Series Softplus() => Solve(Math.Log(1 + Math.Exp(_c[0])), _ => Sigmoid());

        public Series NormalCdf() => Solve(
            (1 + Erf(_c[0] / Math.Sqrt(2))) / 2, _ => (this * this * -0.5).Exp() * (1 / Math.Sqrt(2 * Math.PI)));

        public Series Sin()
        {
            // y'' = -y along x: both at once, from their slopes.
            var (sin, cos) = (new double[_c.Length], new double[_c.Length]);
            (sin[0], cos[0]) = (Math.Sin(_c[0]), Math.Cos(_c[0]));
            for (var k = 1; k < _c.Length; k++)
            {
                for (var j = 1; j <= k; j++)
                {
                    sin[k] += j * _c[j] * cos[k - j] / k;
                    cos[k] -= j * _c[j] * sin[k - j] / k;
                }
            }

            return new Series(sin);
        }

        private Series Exp() => Solve(Math.Exp(_c[0]), y => y);

        // y with y' = slope(y) x' and its value: coefficient k of y needs the slope up to k - 1 only.
        private Series Solve(double at, Func<Series, Series> slope)
        {
            var y = new double[_c.Length];
            y[0] = at;
            for (var k = 1; k < y.Length; k++)
            {
                var s = slope(new Series(y))._c;
                for (var j = 1; j <= k; j++) y[k] += j * _c[j] * s[k - j] / k;
            }

            return new Series(y);
        }

        private static Series OneMinus(Series a)
        {
            double[] c = [.. a._c.Select(v => -v)];
            c[0] += 1;
            return new Series(c);
        }

        // e^(-x²) times a series whose terms all have one sign, so that none of the digits cancel.
        private static double Erf(double x)
        {
            var (term, sum) = (x, x);
            for (var n = 1; n < 300; n++)
            {
                term *= 2 * x * x / ((2 * n) + 1);
                sum += term;
            }

            return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
        }
    }
}
