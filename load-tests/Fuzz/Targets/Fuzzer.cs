using System.Text;

namespace Convoy.Fuzz.Targets;

/// <summary>
/// Runs inputs through the targets and looks at three things: nothing escapes a reader but its own refusal, no input
/// takes long, and no input makes a reader allocate by what it announces rather than by what it is.
/// </summary>
internal sealed class Fuzzer(ulong seed, IReadOnlyList<Target> targets, TimeProvider time)
{
    /// <summary>A reader may allocate this much for an input, and so much for each of its bytes.</summary>
    private const long AllocatedMax = 64 << 10;
    private const long AllocatedPerByteMax = 64;
    private static readonly TimeSpan InputMax = TimeSpan.FromSeconds(5);

    private readonly Mutator[] _mutators = [.. targets.Select(t => new Mutator(t.Corpus))];
    private readonly int[] _order = [.. targets.SelectMany((t, at) => Enumerable.Repeat(at, t.Share))];

    public long AcceptedCount { get; private set; }

    public long LongestTicks { get; private set; }

    public long AllocatedMost { get; private set; }

    /// <summary>Valid inputs first, unmeasured: tables that the platform builds once are nobody's fault.</summary>
    public Fuzzer Warmed()
    {
        foreach (var target in targets)
            foreach (var input in target.Corpus) target.Read(input);
        return this;
    }

    /// <summary>The inputs from an index on; stops at the first finding.</summary>
    public Finding? Run(long from, long count)
    {
        for (var index = from; index < from + count; index++)
            if (One(index) is { } finding) return finding;
        return null;
    }

    public Finding? One(long index)
    {
        // A fixed stride through the targets, so that any input can be found again by its number.
        var at = _order[(int)((ulong)index * 0x9E3779B1 % (ulong)_order.Length)];
        var input = _mutators[at].Make(seed, index);
        var (began, allocated) = (time.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
        try
        {
            if (targets[at].Read(input)) AcceptedCount++;
        }
        catch (Exception escaped)
        {
            return Found(at, index, input, $"{escaped.GetType().Name}: {escaped.Message}");
        }

        var bytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
        var ticks = time.GetTimestamp() - began;
        AllocatedMost = Math.Max(AllocatedMost, bytes);
        LongestTicks = Math.Max(LongestTicks, ticks);
        if (bytes > AllocatedMax + AllocatedPerByteMax * input.Length)
            return Found(at, index, input, $"{bytes} bytes allocated for {input.Length} bytes of input");
        return time.GetElapsedTime(began, began + ticks) > InputMax
            ? Found(at, index, input, $"took {time.GetElapsedTime(began, began + ticks).TotalSeconds:0.0} s") : null;
    }

    private Finding Found(int at, long index, ReadOnlySpan<byte> input, string what) =>
        new(targets[at].Name, seed, index, what, Convert.ToHexStringLower(input[..Math.Min(input.Length, 2_048)]));

    internal static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
