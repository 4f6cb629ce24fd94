using Convoy.Kernels;

namespace Convoy.Cli.Bench;

/// <summary>
/// What this machine reached in loops that do nothing else: GFLOP/s of float32, with one thread and with all, GB/s to
/// and from memory, and GB/s from memory alone.
/// </summary>
internal sealed record Ceilings(double GigaFlopsOfOne, double GigaFlops, double GigaBytes, double GigaBytesRead)
{
    private const int Rounds = 4_000_000;
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

    // Threads of its own: the loop is long enough for their start not to count.
    public static void Arithmetic(int threads)
    {
        var others = Enumerable.Range(1, threads - 1)
            .Select(_ => new Thread(() => Ceiling.FusedMultiplyAdds(Rounds))).ToList();
        others.ForEach(other => other.Start());
        Ceiling.FusedMultiplyAdds(Rounds);
        others.ForEach(other => other.Join());
    }
}
