namespace Convoy.Cli.Bench;

/// <summary>Times of repeated calls, after a warm-up that lets the JIT reach its last tier.</summary>
internal sealed class Timing(TimeProvider time, TimeSpan budget)
{
    private const int WarmUpCalls = 60;
    private const int CallsMin = 5;
    private const int CallsMax = 500;

    /// <summary>Seconds of one call: the median.</summary>
    public double Median(Action call) => Medians(call)[0];

    /// <summary>The medians of calls that take turns: what disturbs one of them disturbs the others as much.</summary>
    public double[] Medians(params Action[] calls) => [.. Sorted(calls).Select(times => times[times.Count / 2])];

    /// <summary>The shortest, for what the machine can do when nothing disturbs it.</summary>
    public double Best(Action call) => Sorted([call])[0][0];

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
