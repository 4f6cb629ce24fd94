using System.Globalization;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>One case: its name here and at the peers, and a run, which gives the sum of its result.</summary>
internal sealed record ComparisonCase(string Name, Func<double> Run);

/// <summary>What somebody took for a case.</summary>
internal sealed record ComparisonTime(string Peer, string Case, double Us, double Check);

/// <summary>
/// TEST-14: derivatives by Convoy beside NumPy, PyTorch and other systems that this machine's Python has
/// (load-tests/compare/peers.py has the same cases with the same numbers). Rounds take turns; medians of the rounds.
/// One thread everywhere. Results are compared too: what differs is not a time.
/// </summary>
internal static class Comparison
{
    internal const string Us = "Convoy";
    private const int Rounds = 3;
    private const double BudgetSeconds = 0.05;

    public static int Run(TextWriter output, IReadOnlyList<string> pythons)
    {
        var (times, peers) = (new List<ComparisonTime>(), new Peers(pythons, BudgetSeconds));
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var one in Cases())
            {
                times.Add(Measure(one, BudgetSeconds));
                times.Add(Measure(Pooled(one), BudgetSeconds) with { Peer = "with a pool" });
            }

            times.AddRange(peers.Run());
        }

        foreach (var line in peers.Skipped.Distinct()) output.WriteLine(line);
        foreach (var line in Table(times)) output.WriteLine(line);
        return 0;
    }

    internal static IEnumerable<ComparisonCase> Cases()
    {
        foreach (var n in (int[])[10, 30, 100])
        {
            var matrix = new Variable(Wave<double>(1, n, n));
            var (x, along) = (Wave<double>(2, n), Wave<double>(3, n));
            Variable Rows(Variable v) => (Variable)matrix.MatMul(v).Tanh();
            Variable Scalar(Variable v) => (Variable)Rows(v).Square().Sum();
            yield return new($"function {n}", () => SumOf(Scalar(new Variable(x)).Data));
            yield return new($"gradient {n}", () => SumOf(Derivatives.Gradient(Scalar, x)));
            yield return new($"hessian-vector {n}", () => SumOf(Derivatives.HessianVector(Scalar, x, along)));
            yield return new($"jacobian {n}", () => SumOf(Derivatives.Jacobian(Rows, x)));
            yield return new($"hessian {n}", () => SumOf(Derivatives.Hessian(Scalar, x)));
        }

        yield return Gradients("matmul 256", x => x[0].MatMul(x[1]), [256, 256], [256, 256]);
        yield return Gradients("element-wise 1000000", x => (x[0] * x[1]).Tanh(), [1_000_000], [1_000_000]);
        yield return Gradients("chain of eight 32000", x => Chain(x[0]), [32_000]);
        yield return Gradients("softmax 128x1000", x => x[0].Softmax(), [128, 1_000]);
        yield return Gradients(
            "contraction 32", x => Functions.Einsum("ijk,jkl->il", x), [32, 32, 32], [32, 32, 32]);
        yield return Gradients(
            "conv 16x16x28x28 to 32", x => x[0].Conv2d(x[1], padding: 1), [16, 16, 28, 28], [32, 16, 3, 3]);
    }

    /// <summary>Cases by peer, times in microseconds and how many times Convoy's they are.</summary>
    internal static IEnumerable<string> Table(IReadOnlyList<ComparisonTime> times)
    {
        string[] peers = [Us, .. times.Select(t => t.Peer).Where(p => p != Us).Distinct()];
        yield return $"| case | {string.Join(" | ", peers.Select(p => p == Us ? $"{p}, us" : $"{p}, us (x {Us})"))} |";
        yield return $"|---|{string.Concat(peers.Select(_ => "---|"))}";
        foreach (var name in times.Select(t => t.Case).Distinct())
        {
            var ours = times.Where(t => t.Case == name && t.Peer == Us).ToList();
            yield return $"| {name} | {string.Join(" | ", peers.Select(p => Cell(p, ours, times, name)))} |";
        }
    }

    internal static ComparisonTime Measure(ComparisonCase one, double budgetSeconds)
    {
        var time = TimeProvider.System;
        var check = one.Run();
        var begun = time.GetTimestamp();
        // Twice: code that is called often is compiled anew in the background.
        while (time.GetElapsedTime(begun).TotalSeconds < 2 * budgetSeconds) one.Run();
        var calls = new List<double>();
        begun = time.GetTimestamp();
        while (calls.Count < 5 || (calls.Count < 500 && time.GetElapsedTime(begun).TotalSeconds < budgetSeconds))
        {
            var call = time.GetTimestamp();
            one.Run();
            calls.Add(time.GetElapsedTime(call).TotalMicroseconds);
        }

        return new ComparisonTime(Us, one.Name, Median(calls), check);
    }

    // Memory of the tensors from a pool, as other systems have it below their allocators.
    private static ComparisonCase Pooled(ComparisonCase one)
    {
        var pool = new BufferPool();
        return new(one.Name, () =>
        {
            using var scope = pool.Enter();
            return one.Run();
        });
    }

    private static string Cell(
        string peer, List<ComparisonTime> ours, IReadOnlyList<ComparisonTime> times, string name)
    {
        var all = times.Where(t => t.Case == name && t.Peer == peer).ToList();
        if (all.Count == 0) return "";
        var median = Median([.. all.Select(t => t.Us)]);
        var text = median.ToString(median < 100 ? "0.0" : "#,0", CultureInfo.InvariantCulture);
        if (peer == Us || ours.Count == 0) return text;
        if (!IsSame(ours[0].Check, all[0].Check))
            return string.Create(CultureInfo.InvariantCulture, $"another result: {all[0].Check:R}, not {ours[0].Check:R}");
        var ratio = median / Median([.. ours.Select(t => t.Us)]);
        return $"{text} ({ratio.ToString("0.00", CultureInfo.InvariantCulture)})";
    }

    // Sums of some thousand float32 numbers of both signs, in another order.
    private static bool IsSame(double a, double b) => Math.Abs(a - b) <= 2e-2 * Math.Max(1, Math.Abs(a));

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private static ComparisonCase Gradients(string name, Func<Value[], Value> f, params int[][] shapes)
    {
        Variable[] free = [.. shapes.Select((s, i) => new Variable(Wave<float>(i + 1, s), requiresGradient: true))];
        return new(name, () => Differentiate.Gradient([(Variable)f(free).Square().Sum()], free)
            .Sum(g => SumOf(((Variable)g!).Data)));
    }

    private static Value Chain(Value x)
    {
        for (var i = 0; i < 8; i++) x = i % 2 == 0 ? x.Sigmoid() : x * 1.5;
        return x;
    }

    private static double SumOf(Tensor tensor)
    {
        var sum = ((Variable)new Variable(tensor).Sum()).Data;
        return sum.DType == DType.Float64 ? sum.ToArray<double>()[0] : sum.ToArray<float>()[0];
    }

    /// <summary>sin(0.7 (i + first)): numbers that every language makes alike.</summary>
    private static Tensor Wave<T>(int first, params int[] dims)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var values = new T[dims.Aggregate((a, b) => a * b)];
        for (var i = 0; i < values.Length; i++) values[i] = T.CreateTruncating(Math.Sin(0.7 * (i + first)));
        return Tensor.Of<T>(values, new(dims));
    }
}
