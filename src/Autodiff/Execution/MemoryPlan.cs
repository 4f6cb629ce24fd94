using Convoy.Kernels;
using Convoy.Shared;

namespace Convoy.Autodiff.Execution;

/// <summary>A buffer that lives from the step that writes it to the last step that reads it.</summary>
internal sealed record BufferRequest(long Bytes, int FirstStep, int LastStep);

/// <summary>What a plan of buffers comes to, in bytes rounded up to the alignment.</summary>
/// <param name="PeakBytes">The stretch of memory that the program takes.</param>
/// <param name="LiveBytes">Most that lives at one step: no placement takes less.</param>
/// <param name="BytesWithoutReuse">All values side by side.</param>
/// <param name="Values">Values that have memory in the plan.</param>
/// <param name="InPlace">Values that are written over an operand that ends there; they have no buffer of their
/// own.</param>
public sealed record MemoryStatistics(long PeakBytes, long LiveBytes, long BytesWithoutReuse, int Values, int InPlace)
{
    /// <summary>Share of the bytes that reuse saves, 0 to 1.</summary>
    public double ReuseRatio => BytesWithoutReuse == 0 ? 0 : 1 - ((double)PeakBytes / BytesWithoutReuse);
}

/// <summary>
/// Places buffers in one stretch of memory. Two ways are tried and the smaller result is taken: in order of time (the
/// smallest hole that fits) and in order of size (the lowest place that is free for the whole life), which is better
/// when a few large buffers live long.
/// MP-1: two buffers that live at the same time do not overlap.
/// </summary>
internal sealed class MemoryPlan
{
    private const long AlignmentBytes = SimdInfo.BufferAlignment;

    private MemoryPlan(long[] offsets, long total, IReadOnlyList<BufferRequest> requests)
    {
        (Offsets, TotalBytes) = (offsets, total);
        foreach (var request in requests) BytesWithoutReuse += Aligned(request.Bytes);
        LiveBytes = MostAlive(requests);
    }

    public long[] Offsets { get; }
    public long TotalBytes { get; }
    /// <summary>What the buffers would take side by side.</summary>
    public long BytesWithoutReuse { get; }
    /// <summary>Most bytes that live at one step: what no placement can go below.</summary>
    public long LiveBytes { get; }

    /// <param name="requests">In the order of their first step.</param>
    public static MemoryPlan Of(IReadOnlyList<BufferRequest> requests)
    {
        for (var i = 1; i < requests.Count; i++)
            Invariant.Check(requests[i].FirstStep >= requests[i - 1].FirstStep, "MP-2 requests are in order");
        int[] byTime = [.. Enumerable.Range(0, requests.Count)];
        // Equal sizes in order of time: the result does not depend on how a sort treats them.
        int[] bySize = [.. byTime.OrderByDescending(i => requests[i].Bytes).ThenBy(i => i)];
        var (first, firstTotal) = Place(requests, byTime, tightest: true);
        var (second, secondTotal) = Place(requests, bySize, tightest: false);
        return secondTotal < firstTotal ? new MemoryPlan(second, secondTotal, requests)
            : new MemoryPlan(first, firstTotal, requests);
    }

    // Each in turn goes where nothing that lives with it lies: the first gap, or the one it fills best.
    private static (long[] Offsets, long Total) Place(IReadOnlyList<BufferRequest> requests, int[] order, bool tightest)
    {
        var offsets = new long[requests.Count];
        var placed = new List<int>(); // by offset
        var total = 0L;
        foreach (var next in order)
        {
            var (bytes, at) = (Aligned(requests[next].Bytes), 0L);
            if (bytes == 0) continue;
            var (best, bestGap) = (-1L, long.MaxValue);
            foreach (var other in placed)
            {
                if (!LiveTogether(requests[next], requests[other])) continue;
                var gap = offsets[other] - at;
                if (gap >= bytes && gap < bestGap && (tightest || best < 0)) (best, bestGap) = (at, gap);
                at = Math.Max(at, offsets[other] + Aligned(requests[other].Bytes));
            }

            // Free up to the end of what is taken so far counts as a gap too: growing is the last resort.
            if (total - at >= bytes && total - at < bestGap && (tightest || best < 0))
                (best, bestGap) = (at, total - at);
            offsets[next] = best >= 0 ? best : at;
            total = Math.Max(total, offsets[next] + bytes);
            var index = placed.FindIndex(p => offsets[p] > offsets[next]);
            placed.Insert(index < 0 ? placed.Count : index, next);
        }

        return (offsets, total);
    }

    private static bool LiveTogether(BufferRequest a, BufferRequest b) =>
        a.FirstStep <= b.LastStep && b.FirstStep <= a.LastStep;

    private static long MostAlive(IReadOnlyList<BufferRequest> requests)
    {
        var most = 0L;
        // The most is reached where something begins.
        foreach (var at in requests)
        {
            var alive = 0L;
            foreach (var other in requests)
                if (other.FirstStep <= at.FirstStep && other.LastStep >= at.FirstStep) alive += Aligned(other.Bytes);
            most = Math.Max(most, alive);
        }

        return most;
    }

    private static long Aligned(long bytes) => (bytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
}
