using Convoy.Shared.Numerics;
using Convoy.Shared.Random;

namespace Convoy.Shared.Tests.Numerics;

// Decision 4, R5: replicas stay equal on machines of different systems and processors.
public class PortableMathTests
{
    private const int Count = 60_000;

    private static readonly double[] Special =
    [
        0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 710, -746, 1e-300, 1e300, -1e300, double.Epsilon, 1e-310,
        double.MaxValue, double.MinValue, double.PositiveInfinity, double.NegativeInfinity, double.NaN, 1L << 53,
        (1L << 53) - 1.0, Math.PI,
    ];

    /// <summary>Name, smallest and largest argument, units in the last place.</summary>
    public static TheoryData<string, double, double, double> Functions() => new()
    {
        { "exp", -745, 709, 1 }, { "exp", -1, 1, 1 }, { "expm1", -40, 40, 4 }, { "expm1", -1e-3, 1e-3, 2 },
        { "log", 1e-300, 1e300, 2 }, { "log", 0.5, 2, 2 }, { "log1p", -0.9, 3, 4 }, { "log1p", -1e-6, 1e-6, 4 },
        { "log2", 1e-9, 1e9, 2 }, { "cbrt", -1e9, 1e9, 4 }, { "cbrt", -1e-300, 1e-300, 4 },
        { "sin", -0.8, 0.8, 1 }, { "sin", -100, 100, 1 }, { "sin", -1e300, 1e300, 1 }, { "sin", 1e6, 1e7, 1 },
        { "cos", -0.8, 0.8, 1 }, { "cos", -100, 100, 1 }, { "cos", -1e300, 1e300, 1 }, { "cos", 1e6, 1e7, 1 },
        { "tan", -1.5, 1.5, 4 }, { "tan", -1e9, 1e9, 4 },
        { "asin", -1, 1, 4 }, { "acos", -1, 1, 4 }, { "atan", -1, 1, 2 }, { "atan", -1e5, 1e5, 2 },
        { "sinh", -700, 700, 4 }, { "sinh", -1, 1, 4 }, { "cosh", -700, 700, 4 }, { "cosh", -1, 1, 4 },
        { "tanh", -25, 25, 4 }, { "tanh", -0.1, 0.1, 4 },
        { "asinh", -1e9, 1e9, 4 }, { "asinh", -1, 1, 4 }, { "acosh", 1, 1e9, 4 }, { "acosh", 1, 1.5, 4 },
        { "atanh", -1, 1, 4 },
    };

    [Theory]
    [MemberData(nameof(Functions))]
    public void Agrees_with_the_platform_to_a_few_units_in_the_last_place(
        string name, double from, double to, double units)
    {
        var (ours, platform) = Pair(name);
        var random = new RandomStream(3, RandomPurpose.Mask, 1);
        for (var i = 0; i < Count; i++)
        {
            var x = from + ((to - from) * random.Uniform(i));
            // The platform has its own half unit.
            AssertClose(platform(x), ours(x), units + 0.5, $"{name} {x:R}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Special_numbers_are_as_on_the_platform(string name)
    {
        var (ours, platform) = Pair(name);
        foreach (var x in Special)
        {
            var (expected, got) = (platform(x), ours(x));
            if (!double.IsFinite(expected) || expected == 0)
                Assert.True(BitConverter.DoubleToInt64Bits(expected) == BitConverter.DoubleToInt64Bits(got)
                    || (double.IsNaN(expected) && double.IsNaN(got)), $"{name} {x:R}: {got:R}, {expected:R} expected");
            else AssertClose(expected, got, 4, $"{name} {x:R}");
        }
    }

    [Fact]
    public void Powers_and_angles_of_two_numbers_are_as_on_the_platform()
    {
        foreach (var x in Special)
        {
            foreach (var y in Special)
            {
                Same(Math.Pow(x, y), PortableMath.Pow(x, y), $"{x:R}^{y:R}");
                Same(Math.Atan2(x, y), PortableMath.Atan2(x, y), $"atan2({x:R}, {y:R})");
            }
        }

        var random = new RandomStream(4, RandomPurpose.Mask, 1);
        for (var i = 0; i < Count; i++)
        {
            var (u, v) = (random.Uniform(2 * i), random.Uniform((2 * i) + 1));
            var (x, y) = (Math.ScaleB(u, (int)(v * 60) - 30), (v - 0.5) * 40);
            AssertClose(Math.Pow(x, y), PortableMath.Pow(x, y), 1.5, $"{x:R}^{y:R}");
            AssertClose(Math.Pow(0.999, i), PortableMath.Pow(0.999, i), 1.5, $"0.999^{i}");
            AssertClose(Math.Atan2(u - 0.5, v - 0.5), PortableMath.Atan2(u - 0.5, v - 0.5), 3, $"{u:R} {v:R}");
        }

        static void Same(double expected, double got, string what)
        {
            if (double.IsNaN(expected)) Assert.True(double.IsNaN(got), $"{what}: {got:R}");
            else if (expected == 0 || double.IsInfinity(expected))
                Assert.True(expected.Equals(got) && double.IsNegative(expected) == double.IsNegative(got),
                    $"{what}: {got:R}, {expected:R} expected");
            else AssertClose(expected, got, 3, what);
        }
    }

    [Fact]
    public void Sine_and_cosine_of_a_turn_in_integers_are_those_of_its_angle()
    {
        for (var i = 0u; i < 20_000; i++)
        {
            var v = i * 214_748u;
            var (sine, cosine) = PortableMath.SinCosOfTurn(v);
            var angle = v * (2 * Math.PI / 4294967296.0);
            Assert.Equal(Math.Sin(angle), sine, 1e-15);
            Assert.Equal(Math.Cos(angle), cosine, 1e-15);
        }
    }

    [Fact]
    public void What_is_exact_stays_exact()
    {
        for (var x = 1; x <= 40; x++)
        {
            var product = 1.0;
            for (var y = 0; product < 1L << 53; y++, product *= x)
            {
                if (x == 1 && y > 3) break;
                Assert.Equal(product, PortableMath.Pow(x, y));
                Assert.Equal(y % 2 == 0 ? product : -product, PortableMath.Pow(-x, y));
            }

            // The platform's is off by up to 4 units: here the error of the cube tells that of the root.
            var root = PortableMath.Cbrt(x);
            var square = root * root;
            var squareRest = Math.FusedMultiplyAdd(root, root, -square);
            var error = Math.FusedMultiplyAdd(square, root, -x) + (squareRest * root);
            Assert.InRange(error / (3 * square), root - Math.BitIncrement(root), Math.BitIncrement(root) - root);
            Assert.Equal(x, PortableMath.Cbrt(x * x * x));
            Assert.Equal(-x, PortableMath.Cbrt(-x * x * x));
        }

        for (var e = -1_074; e < 1_024; e++)
        {
            Assert.Equal(e, PortableMath.Log2(Math.ScaleB(1, e)));
            Assert.Equal(Math.ScaleB(1, e), PortableMath.Pow(2, e));
        }

        Assert.Equal((0.0, 1.0, Math.E), (PortableMath.Log(1), PortableMath.Exp(0), PortableMath.Exp(1)));
        Assert.Equal((Math.PI, Math.PI / 2, Math.PI / 4),
            (PortableMath.Acos(-1), PortableMath.Asin(1), PortableMath.Atan(1)));
        Assert.Equal((1.0, 0.0, -1.0), (PortableMath.Cos(0), PortableMath.Sin(0), PortableMath.Cos(Math.PI)));
    }

    // Every machine has these bits: one that has not would train other weights.
    [Fact]
    public void The_bits_are_the_same_everywhere()
    {
        var random = new RandomStream(5, RandomPurpose.Mask, 1);
        var bytes = new List<byte>();
        foreach (var name in Names().Select(row => row.Data))
        {
            var ours = Pair(name).Ours;
            for (var i = 0; i < 2_000; i++) Add(ours(Math.ScaleB(random.Uniform(i) - 0.25, i % 20 - 8)));
        }

        for (var i = 0; i < 2_000; i++) Add(PortableMath.Pow(random.Uniform(i), 7 * random.Uniform(i + 1)));
        Assert.Equal("79b1315d", Shared.Protocol.Crc32C.Of(bytes.ToArray()).ToString("x8"));

        void Add(double value) =>
            bytes.AddRange(BitConverter.GetBytes(double.IsNaN(value) ? 0 : BitConverter.DoubleToInt64Bits(value)));
    }

    public static TheoryData<string> Names() =>
    [
        "exp", "expm1", "log", "log1p", "log2", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
        "tanh", "asinh", "acosh", "atanh",
    ];

    private static (Func<double, double> Ours, Func<double, double> Platform) Pair(string name) => name switch
    {
        "exp" => (PortableMath.Exp, Math.Exp),
        "expm1" => (PortableMath.ExpMinusOne, ExpMinusOne),
        "log" => (PortableMath.Log, Math.Log),
        "log1p" => (PortableMath.LogOnePlus, LogOnePlus),
        "log2" => (PortableMath.Log2, Math.Log2),
        "cbrt" => (PortableMath.Cbrt, Math.Cbrt),
        "sin" => (PortableMath.Sin, Math.Sin),
        "cos" => (PortableMath.Cos, Math.Cos),
        "tan" => (PortableMath.Tan, Math.Tan),
        "asin" => (PortableMath.Asin, Math.Asin),
        "acos" => (PortableMath.Acos, Math.Acos),
        "atan" => (PortableMath.Atan, Math.Atan),
        "sinh" => (PortableMath.Sinh, Math.Sinh),
        "cosh" => (PortableMath.Cosh, Math.Cosh),
        "tanh" => (PortableMath.Tanh, Math.Tanh),
        "asinh" => (PortableMath.Asinh, Math.Asinh),
        "acosh" => (PortableMath.Acosh, Math.Acosh),
        "atanh" => (PortableMath.Atanh, Math.Atanh),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no function"),
    };

    // e^x - 1 = 2 sinh(x/2) e^(x/2): the framework's own subtracts after rounding.
    private static double ExpMinusOne(double x) =>
        Math.Abs(x) < 1e-300 ? x : x > 40 || x < -40 ? Math.Exp(x) - 1 : 2 * Math.Sinh(x / 2) * Math.Exp(x / 2);

    private static double LogOnePlus(double x) =>
        Math.Abs(x) < 1e-300 ? x : Math.Abs(x) < 0.5 ? 2 * Math.Atanh(x / (2 + x)) : Math.Log(1 + x);

    private static void AssertClose(double expected, double got, double units, string what)
    {
        if (expected.Equals(got)) return;
        var unit = Math.Max(Math.BitIncrement(Math.Abs(expected)) - Math.Abs(expected), double.Epsilon);
        Assert.True(Math.Abs(expected - got) <= units * unit, $"{what}: {got:R}, {expected:R} expected");
    }
}
