using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Learning;

/// <summary>
/// A piece in memory of its own, ready to be sent. One copy serves all learners of a member; its memory goes back when
/// the last of them has taken it. What a link may still read when its learner ends is not given back.
/// </summary>
internal sealed class FeedRecord(FeedMemory pool, PinnedVector memory, FeedHeader header)
{
    private int _uses = 1; // of who made it

    public FeedHeader Header => header;

    /// <summary>One more waits for it. Like <see cref="Release"/>, of one thread at a time.</summary>
    public void Use() => _uses++;

    public void Release()
    {
        Invariant.Check(_uses > 0, "BUF-2 a piece is given back once by each of its users");
        if (--_uses == 0) pool.GiveBack(memory);
    }

    public StepNumber Step => header.Step;

    public int Bytes => header.Bytes;

    public ReadOnlyMemory<byte> Content => memory.Bytes(0, header.Bytes / sizeof(float));

    /// <summary>
    /// Copies a range of the reduced gradient, while nothing changes it.
    /// </summary>
    public static void Cut(List<FeedRecord> into, FeedMemory pool, PinnedVector reduced, StepNumber step,
        Fingerprint fingerprint, long from, long end)
    {
        for (var at = from; at < end; at += FeedHeader.ElementsMax)
        {
            var header = new FeedHeader(step, fingerprint, at, (int)Math.Min(FeedHeader.ElementsMax, end - at));
            var memory = pool.Rent(FeedHeader.Floats + header.Count);
            header.Write(memory.GetSpan());
            reduced.Span.Slice((int)at, header.Count).CopyTo(memory.Span[FeedHeader.Floats..]);
            into.Add(new FeedRecord(pool, memory, header));
        }
    }

    /// <summary>
    /// The part of a flat vector that a member feeds: equal parts for all members, on borders of norm blocks.
    /// </summary>
    public static (long From, long End) PartOf(long elements, int member, int members)
    {
        var blocks = (elements + Limits.NormBlock - 1) / Limits.NormBlock;
        return (Math.Min(elements, blocks * member / members * Limits.NormBlock),
            Math.Min(elements, blocks * (member + 1) / members * Limits.NormBlock));
    }
}
