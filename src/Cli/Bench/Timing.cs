namespace Convoy.Cli.Bench;

/// <summary>What the measured calls took, in seconds.</summary>
/// <param name="Calls">How many there were, after the warm-up.</param>
/// <param name="AllocatedBytes">On the managed heap, of one call.</param>
internal readonly record struct Sample(double Median, double Mean, double Deviation, int Calls, long AllocatedBytes)
{
    /// <summary>The shortest call.</summary>
    public double Least { get; private init; }

    /// <summary>Coefficient of variation: deviation over mean.</summary>
    public double Variation => Mean == 0 ? 0 : Deviation / Mean;

    public static Sample Of(IReadOnlyList<double> sorted, long allocatedBytes)
    {
        var mean = sorted.Average();
        var deviation = Math.Sqrt(sorted.Average(s => (s - mean) * (s - mean)));
        return new Sample(sorted[sorted.Count / 2], mean, deviation, sorted.Count, allocatedBytes)
        {
            Least = sorted[0],
        };
    }
}

/// <summary>Times of repeated calls, after a warm-up that lets the JIT reach its last tier.</summary>
internal sealed class Timing(TimeProvider time, TimeSpan budget)
{
    private const int WarmUpCalls = 60;
    private const int CallsMin = 5;
    private const int CallsMax = 500;
    private const int AllocationCalls = 4;

    public Sample Measure(Action call) => Measure([call])[0];

    /// <summary>Calls that take turns: what disturbs one of them disturbs the others as much.</summary>
    public Sample[] Measure(params Action[] calls)
    {
        var times = Sorted(calls);
        return [.. calls.Select((call, i) => Sample.Of(times[i], AllocatedBy(call)))];
    }

    /// <summary>The shortest of each, for what the machine can do when nothing disturbs it.</summary>
    public (double First, double Second) Best(Action first, Action second)
    {
        var times = Sorted([first, second]);
        return (times[0][0], times[1][0]);
    }

    // By all threads; a few bytes of the runtime's own in all calls together are none of one call.
    private static long AllocatedBy(Action call)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < AllocationCalls; i++) call();
        return (GC.GetTotalAllocatedBytes(precise: true) - before) / AllocationCalls;
    }

    private List<double>[] Sorted(Action[] calls)
    {
        var begun = time.GetTimestamp();
        // The JIT compiles a method anew after 30 calls, in the background; long calls get there by time.
        for (var i = 0; i < WarmUpCalls || time.GetElapsedTime(begun) < budget; i++)
        {
            foreach (var call in calls) call();
            if (time.GetElapsedTime(begun) > 4 * budget) break;
        }

        List<double>[] times = [.. calls.Select(_ => new List<double>())];
        begun = time.GetTimestamp();
        while (times[0].Count < CallsMin
            || (times[0].Count < CallsMax && time.GetElapsedTime(begun) < budget * calls.Length))
        {
            for (var i = 0; i < calls.Length; i++)
            {
                var one = time.GetTimestamp();
                calls[i]();
                times[i].Add(time.GetElapsedTime(one).TotalSeconds);
            }
        }

        foreach (var list in times) list.Sort();
        return times;
    }
}
