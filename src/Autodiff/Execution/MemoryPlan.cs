using Convoy.Shared;

namespace Convoy.Autodiff.Execution;

/// <summary>A buffer that lives from the step that writes it to the last step that reads it.</summary>
internal sealed record BufferRequest(long Bytes, int FirstStep, int LastStep);

/// <summary>
/// Places buffers in one stretch of memory: first come, the smallest hole that fits, holes join when neighbours end.
/// MP-1: two buffers that live at the same time do not overlap.
/// </summary>
internal sealed class MemoryPlan
{
    private const long AlignmentBytes = 64;
    private readonly List<(long From, long End)> _holes = [];

    private MemoryPlan(long[] offsets)
    {
        Offsets = offsets;
    }

    public long[] Offsets { get; }
    public long TotalBytes { get; private set; }
    /// <summary>What the buffers would take side by side.</summary>
    public long BytesWithoutReuse { get; private set; }

    /// <param name="requests">In the order of their first step.</param>
    public static MemoryPlan Of(IReadOnlyList<BufferRequest> requests)
    {
        var plan = new MemoryPlan(new long[requests.Count]);
        var live = new List<int>();
        for (var i = 0; i < requests.Count; i++)
        {
            Invariant.Check(i == 0 || requests[i].FirstStep >= requests[i - 1].FirstStep, "MP-2 requests are in order");
            for (var k = live.Count - 1; k >= 0; k--)
            {
                if (requests[live[k]].LastStep >= requests[i].FirstStep) continue;
                plan.Free(plan.Offsets[live[k]], Aligned(requests[live[k]].Bytes));
                live.RemoveAt(k);
            }

            plan.Offsets[i] = plan.Take(Aligned(requests[i].Bytes));
            plan.BytesWithoutReuse += Aligned(requests[i].Bytes);
            live.Add(i);
        }

        return plan;
    }

    private static long Aligned(long bytes) => (bytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;

    private long Take(long bytes)
    {
        var best = -1;
        for (var i = 0; i < _holes.Count; i++)
        {
            var size = _holes[i].End - _holes[i].From;
            if (size >= bytes && (best < 0 || size < _holes[best].End - _holes[best].From)) best = i;
        }

        if (best < 0) return Grow(bytes);
        var (from, end) = _holes[best];
        if (end - from == bytes) _holes.RemoveAt(best);
        else _holes[best] = (from + bytes, end);
        return from;
    }

    // A hole at the end is stretched instead of left behind.
    private long Grow(long bytes)
    {
        var last = _holes.FindIndex(h => h.End == TotalBytes);
        var from = last < 0 ? TotalBytes : _holes[last].From;
        if (last >= 0) _holes.RemoveAt(last);
        TotalBytes = from + bytes;
        return from;
    }

    private void Free(long offset, long bytes)
    {
        if (bytes == 0) return;
        var (from, end) = (offset, offset + bytes);
        for (var i = _holes.Count - 1; i >= 0; i--)
        {
            if (_holes[i].End != from && _holes[i].From != end) continue;
            (from, end) = (Math.Min(from, _holes[i].From), Math.Max(end, _holes[i].End));
            _holes.RemoveAt(i);
        }

        _holes.Add((from, end));
    }
}
