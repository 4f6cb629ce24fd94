using Convoy.Kernels;

namespace Convoy.Cli.Bench;

/// <summary>
/// What this machine reached in loops that do nothing else: GFLOP/s of float32, with one thread and with all, GB/s to
/// and from memory, and GB/s from memory alone.
/// </summary>
internal sealed record Ceilings(double GigaFlopsOfOne, double GigaFlops, double GigaBytes, double GigaBytesRead)
{
    // About a millisecond: beside a kernel it takes turns with, and yet long beside a team's start.
    private const int Rounds = 250_000;
    private const int Elements = 1 << 24;

    /// <summary>Operations of one thread's part of <see cref="Arithmetic"/>, on elements: a multiply-add counts as
    /// one.</summary>
    public static double Operations => Flops * 1e9 / 2;

    public static Ceilings Measure(int threads, Timing timing)
    {
        // One thread and all of them in turn: neighbours of a shared machine take from both.
        var (one, all) = timing.Best(() => Arithmetic(1), () => Arithmetic(threads));
        using Operand a = new(Elements), b = new(Elements), c = new(Elements);
        b.Span.Fill(1f);
        c.Span.Fill(2f);
        var (triad, read) = timing.Best(
            () => Ceiling.Triad(a.Span, b.Span, c.Span, 3f), () => Ceiling.Read(b.Span));
        var bytes = (double)sizeof(float) * Elements / 1e9;
        return new Ceilings(Flops / one, Flops * threads / all, 3 * bytes / triad, bytes / read);
    }

    private static double Flops => Ceiling.FusedMultiplyAdds(1) * (double)Rounds / 1e9;

    /// <summary>The loop of multiply-adds, by so many threads of the team that the caller entered.</summary>
    public static void Arithmetic(int threads)
    {
        var loops = new Loops();
        TeamTasks.Run(ref loops, threads);
    }

    private readonly struct Loops : ITeamTasks
    {
        public void Run(int index) => Ceiling.FusedMultiplyAdds(Rounds);
    }

    /// <summary>
    /// Work beside the lower of the ceilings of arithmetic and memory; above 1 where operands come from a cache.
    /// </summary>
    /// <param name="flops">Floating-point operations.</param>
    /// <param name="bytes">Bytes that are read or written.</param>
    /// <param name="ms">Milliseconds that both took.</param>
    public (double Share, string Bound) ShareOf(double flops, double bytes, double ms)
    {
        var (arithmetic, memory) = (flops / GigaFlops / 1e6, bytes / GigaBytes / 1e6);
        var least = Math.Max(arithmetic, memory);
        return (ms > 0 ? Math.Round(least / ms, 3) : 0, memory >= arithmetic ? "memory" : "arithmetic");
    }
}
