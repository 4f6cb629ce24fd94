using Convoy.Kernels;
using Convoy.Kernels.Operators;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Cli.Bench;

/// <summary>One kernel at one size. Rates are null where they say nothing.</summary>
internal sealed record KernelResult
{
    public required string Kernel { get; init; }
    public required string Shape { get; init; }
    public required int Threads { get; init; }
    /// <summary>Median of the calls.</summary>
    public required double Us { get; init; }
    public required double MeanUs { get; init; }
    /// <summary>Standard deviation of the calls.</summary>
    public required double DeviationUs { get; init; }
    /// <summary>Deviation over mean of the calls.</summary>
    public required double Variation { get; init; }
    /// <summary>Calls that were measured, after the warm-up.</summary>
    public required int Calls { get; init; }
    /// <summary>Bytes that a call allocates on the managed heap.</summary>
    public required long AllocatedBytes { get; init; }
    public double? Gflops { get; init; }
    public double? Gbs { get; init; }
    /// <summary>Share of what the machine reached in a loop that does nothing else.</summary>
    public required double OfCeiling { get; init; }
    /// <summary>Which ceiling is the lower one, "memory" or "arithmetic"; null: only one applies.</summary>
    public string? Bound { get; init; }
    /// <summary>Speed against the same calls by one thread, taken in turns; null: there is one.</summary>
    public double? OfOneThread { get; init; }
    /// <summary>Speed against OpenBLAS in the same process; null: not on this machine.</summary>
    public double? OfOpenblas { get; init; }
}

/// <summary>Kernels at the sizes of models, beside their ceilings.</summary>
/// <param name="alone">A team of one, for kernels beside themselves on the thread that measures.</param>
internal sealed class KernelBench(int threads, ThreadTeam alone, Timing timing, BlasProvider? blas)
{
    private const int Long = 1 << 24;

    // Multiplies, adds and comparisons of FloatMath; integer and bit operations are not counted.
    private const int ExpOperations = 9;
    private const int GeluOperations = ExpOperations + 12;

    public IEnumerable<KernelResult> Products()
    {
        foreach (var n in (int[])[64, 128, 256, 512, 1024, 2048])
            foreach (var (ta, tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
                yield return Product(ta, tb, n, n, n);
        (int M, int N, int K)[] shapes =
            [(128, 512, 784), (128, 512, 512), (128, 10, 512), (1024, 384, 128), (1024, 128, 512), (1024, 65, 128)];
        foreach (var (m, n, k) in shapes) yield return Product(false, false, m, n, k);
    }

    public IEnumerable<KernelResult> Convolutions()
    {
        Conv2dShape[] shapes =
        [
            new(64, 1, 28, 28, 16, 3, 3, Padding: 1), new(64, 16, 28, 28, 32, 3, 3, Padding: 1),
            new(64, 16, 14, 14, 32, 3, 3, Padding: 1),
            new(64, 64, 14, 14, 64, 3, 3, Padding: 1), new(64, 64, 14, 14, 64, 1, 1),
            new(64, 32, 28, 28, 64, 3, 3, Stride: 2, Padding: 1),
        ];
        foreach (var s in shapes)
        {
            var (x, w) = (Numbers(s.N * s.InputSize), Numbers(s.WeightSize));
            var (y, dx, dw) = (Numbers(s.N * s.OutputSize), new float[x.Length], new float[w.Length]);
            int[] starts = [0, s.N];
            var nodes = new SliceTree(1).Cover(0, 1);
            var flops = 2.0 * s.N * s.OutputSize * s.Terms;
            var name = $"{s.N}x{s.CIn}x{s.H}x{s.W} to {s.COut}, {s.Kh}x{s.Kw} stride {s.Stride}";
            yield return Rate("conv2d", name, flops, () => Conv2d.Forward<float>(x, w, default, y, s));
            yield return Rate("conv2d-grad-input", name, flops, () => Conv2d.GradInput<float>(y, w, dx, s));
            yield return Rate("conv2d-grad-weight", name, flops,
                () => Conv2d.SegmentedGradWeight<float>(x, y, dw, dw.Length, s, new Segments(starts, 0, 1, nodes)));
        }
    }

    /// <summary>
    /// Kernels on 16 M elements, beside the lower of two ceilings: the time that their bytes take (each array once that
    /// they read or write; a kernel that only reads, beside a loop that only reads), and the time that the multiplies,
    /// adds and comparisons of an element take at the rate of the loop of multiply-adds. Kernel and ceilings take turns
    /// on the same arrays: the share of a machine that others use as well is then one of the same minutes.
    /// </summary>
    public IEnumerable<KernelResult> Elements()
    {
        using Operand a = Filled(), b = Filled(), c = new(Long), d = new(Long);
        KernelResult Stream(string kernel, string shape, int passes, int operations, Action run) =>
            InTurn(kernel, shape, passes, operations, run, passes == 1
                ? () => Ceiling.Read(b.Span)
                : () => Ceiling.Triad(c.Span, a.Span, b.Span, 3f));
        var shape = "16777216";
        yield return Stream("add", shape, 3, 1, () => Elementwise.Binary<float, Add>(a.Span, b.Span, c.Span));
        yield return Stream("relu", shape, 2, 2, () => Elementwise.Unary<float, Relu>(a.Span, c.Span));
        yield return Stream("exp", shape, 2, ExpOperations, () => Elementwise.Unary<float, Exp>(a.Span, c.Span));
        yield return Stream("gelu", shape, 2, GeluOperations, () => Elementwise.Unary<float, Gelu>(a.Span, c.Span));
        yield return Stream("adam", shape, 7, 12, () => Optimizers.Adam<float>(
            c.Span, a.Span, d.Span, b.Span, new AdamStep(1e-9, 0.9, 0.999, 1e-8, 0, 10)));
        var blocks = new double[SquaredNorm.BlockCount(Long)];
        // In float64: half as many lanes to a register.
        yield return Stream("squared-norm", shape, 1, 4, () => SquaredNorm.Blocks<float>(a.Span, blocks));
        const int width = 1024, rows = Long / width;
        shape = $"{rows}x{width}";
        yield return Stream("softmax", shape, 2, ExpOperations + 4, () => Softmax.Forward<float>(a.Span, width, c.Span));
        var (mean, rstd) = (new float[rows], new float[rows]);
        yield return Stream("layer-norm", shape, 2, 6, () => LayerNorm.Forward<float>(
            a.Span, b.Span[..width], b.Span.Slice(width, width), 1e-5f, c.Span, mean, rstd));
        var (targets, loss, sums) = (new int[rows], new float[rows], new float[rows]);
        yield return Stream("cross-entropy", shape, 1, ExpOperations + 3,
            () => CrossEntropy.Forward<float>(a.Span, width, targets, loss, sums));
    }

    private KernelResult Product(bool ta, bool tb, int m, int n, int k)
    {
        var (a, b, c) = (Numbers(m * k), Numbers(k * n), new float[m * n]);
        var name = $"gemm {(ta ? 't' : 'n')}{(tb ? 't' : 'n')}";
        void Ours() => Gemm.Run<float>(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, c, n);
        var result = Rate(name, $"{m}x{n}x{k}", 2.0 * m * n * k, Ours);
        if (blas is null) return result;
        // By itself, after ours: threads of OpenBLAS that wait for more spin on the cores of a team.
        var turns = timing.Measure(Ours, () => blas.Multiply(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, c, n));
        return result with { OfOpenblas = Math.Round(turns[1].Median / turns[0].Median, 3) };
    }

    private KernelResult Rate(string kernel, string shape, double flops, Action run)
    {
        void Alone()
        {
            using var scope = alone.Enter();
            run();
        }

        // In turns with the ceiling, which is the best of the same moments. Of two calls in a row the second: the first
        // wakes the team, as the kernels before it do in a step.
        void Best() => Ceilings.Arithmetic(threads);
        var turns = threads == 1 ? timing.Measure(Best, run) : timing.Measure(Best, Alone, run, run);
        var (best, seconds) = (turns[0], turns[^1]);
        var atBest = flops * best.Least / (2 * Ceilings.Operations * threads);
        return Of(kernel, shape, seconds, atBest / seconds.Median) with
        {
            Gflops = Math.Round(flops / seconds.Median / 1e9, 1),
            OfOneThread = threads == 1 ? null : Math.Round(turns[1].Median / seconds.Median, 3),
        };
    }

    private KernelResult InTurn(string kernel, string shape, int passes, int operations, Action run, Action ceiling)
    {
        // Each comes after a call of its own kind: what follows the arithmetic, which leaves memory alone, is slower.
        void Arithmetic() => Ceilings.Arithmetic(threads);
        var turns = timing.Measure(run, run, ceiling, ceiling, Arithmetic, Arithmetic);
        var seconds = turns[1].Median;
        var memory = turns[3].Median * passes / (passes == 1 ? 1 : 3);
        var arithmetic = (double)operations * Long / (Ceilings.Operations * threads / turns[5].Median);
        return Of(kernel, shape, turns[1], Math.Max(memory, arithmetic) / seconds) with
        {
            Gbs = Math.Round((double)passes * sizeof(float) * Long / seconds / 1e9, 2),
            Bound = memory >= arithmetic ? "memory" : "arithmetic",
        };
    }

    private KernelResult Of(string kernel, string shape, Sample seconds, double share) => new()
    {
        Kernel = kernel, Shape = shape, Threads = threads, Us = Math.Round(seconds.Median * 1e6, 1),
        MeanUs = Math.Round(seconds.Mean * 1e6, 1), DeviationUs = Math.Round(seconds.Deviation * 1e6, 1),
        Calls = seconds.Calls, AllocatedBytes = seconds.AllocatedBytes,
        Variation = Math.Round(seconds.Variation, 3), OfCeiling = Math.Round(share, 3),
    };

    private static float[] Numbers(int count)
    {
        var numbers = new float[count];
        Fill(numbers);
        return numbers;
    }

    private static Operand Filled()
    {
        var operand = new Operand(Long);
        Fill(operand.Span);
        return operand;
    }

    private static void Fill(Span<float> numbers) =>
        new RandomStream(1, RandomPurpose.Mask, (ulong)numbers.Length).FillUniform(numbers, 0, -1, 1);
}
