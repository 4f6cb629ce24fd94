using Convoy.Kernels;

namespace Convoy.Cli.Bench;

/// <summary>
/// What this machine reached in loops that do nothing else: GFLOP/s of float32, GB/s to and from memory.
/// </summary>
internal sealed record Ceilings(double GigaFlops, double GigaBytes)
{
    private const int Rounds = 400_000;
    private const int TriadElements = 1 << 24;

    public static Ceilings Measure(int threads, Timing timing) => new(Arithmetic(threads, timing), Memory(timing));

    // Threads of its own: the loop is long enough for their start not to count.
    private static double Arithmetic(int threads, Timing timing)
    {
        var flops = 0L;
        var seconds = timing.Best(() =>
        {
            var others = Enumerable.Range(1, threads - 1)
                .Select(_ => new Thread(() => Ceiling.FusedMultiplyAdds(Rounds))).ToList();
            others.ForEach(other => other.Start());
            flops = Ceiling.FusedMultiplyAdds(Rounds);
            others.ForEach(other => other.Join());
        });
        return flops * threads / seconds / 1e9;
    }

    private static double Memory(Timing timing)
    {
        var (a, b, c) = (new float[TriadElements], new float[TriadElements], new float[TriadElements]);
        Array.Fill(b, 1f);
        Array.Fill(c, 2f);
        return 3.0 * sizeof(float) * TriadElements / timing.Best(() => Ceiling.Triad(a, b, c, 3f)) / 1e9;
    }
}
