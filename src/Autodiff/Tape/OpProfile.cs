using System.Globalization;
using System.Text;
using System.Text.Json;
using Convoy.Shared.Threading;

namespace Convoy.Autodiff.Tape;

/// <summary>The times of one operator.</summary>
/// <param name="Operator">Its name in the table.</param>
/// <param name="Calls">How often it ran, in forward and in backward passes.</param>
/// <param name="TotalMs">All calls together, milliseconds.</param>
/// <param name="MinMs">The fastest call.</param>
/// <param name="MaxMs">The slowest call.</param>
/// <param name="Elements">Elements of its results.</param>
public sealed record OpTiming(
    string Operator, long Calls, double TotalMs, double MinMs, double MaxMs, long Elements)
{
    /// <summary>The mean of the calls, milliseconds.</summary>
    public double MeanMs => TotalMs / Calls;

    /// <summary>Elements of results in a second.</summary>
    public double ElementsPerSecond => TotalMs == 0 ? 0 : Elements / TotalMs * 1000;
}

/// <summary>
/// MON-07: times of the operators that eager variables run, switched on and off while a program runs. Off it costs one
/// look at a field of the thread for each operator. Scopes of several threads may write into one profile.
/// </summary>
/// <param name="clock">Where times come from.</param>
public sealed class OpProfile(TimeProvider clock)
{
    [ThreadStatic] private static Scope? _top;
    private readonly OrderedLock _lock = new("times of operators", LockRank.Runtime);
    private readonly Dictionary<string, OpTiming> _timings = new(StringComparer.Ordinal);

    /// <summary>The profile that operators of this thread are timed in, or null.</summary>
    internal static OpProfile? Current => _top is null ? null : ThreadScope.Innermost(ref _top)?.Profile;

    /// <summary>Times the operators of this thread until the scope is disposed; scopes nest.</summary>
    public IDisposable Start() => _top = new Scope(ThreadScope.Innermost(ref _top), this);

    internal long Now => clock.GetTimestamp();

    internal void Add(string name, long start, long elements)
    {
        var ms = clock.GetElapsedTime(start).TotalMilliseconds;
        using (_lock.Enter())
        {
            var one = new OpTiming(name, 1, ms, ms, ms, elements);
            _timings[name] = !_timings.TryGetValue(name, out var all) ? one : new OpTiming(
                name, all.Calls + 1, all.TotalMs + ms, Math.Min(all.MinMs, ms), Math.Max(all.MaxMs, ms),
                all.Elements + elements);
        }
    }

    /// <summary>All operators that ran, the longest first; by name where times are equal.</summary>
    public IReadOnlyList<OpTiming> Timings
    {
        get
        {
            using (_lock.Enter())
            {
                return [.. _timings.Values.OrderByDescending(t => t.TotalMs)
                    .ThenBy(t => t.Operator, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Forgets all times; scopes that are open go on.</summary>
    public void Clear()
    {
        using (_lock.Enter()) _timings.Clear();
    }

    /// <summary>MON-04: a header line, then a line for each operator.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder("operator,calls,total_ms,mean_ms,min_ms,max_ms,elements\n");
        foreach (var t in Timings)
            text.Append(CultureInfo.InvariantCulture,
                $"{t.Operator},{t.Calls},{t.TotalMs:r},{t.MeanMs:r},{t.MinMs:r},{t.MaxMs:r},{t.Elements}\n");
        return text.ToString();
    }

    /// <summary>MON-04: a list with one object for each operator.</summary>
    public string ToJson() => JsonSerializer.Serialize(Timings);

    private sealed class Scope(Scope? outer, OpProfile profile) : ThreadScope(outer)
    {
        public OpProfile Profile { get; } = profile;
    }
}
