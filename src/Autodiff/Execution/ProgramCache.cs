using Convoy.Autodiff.Graphs;
using Convoy.Shared.Threading;

namespace Convoy.Autodiff.Execution;

/// <summary>What a cache of compiled graphs did.</summary>
/// <param name="Hits">Programs that were made from a plan that was there.</param>
/// <param name="Misses">Programs whose graph was compiled first.</param>
/// <param name="Evictions">Plans that gave way because they were not asked for the longest.</param>
/// <param name="Entries">Plans that are kept now.</param>
/// <param name="CompileTime">Time of all compilations together.</param>
public sealed record ProgramCacheStatistics(
    long Hits, long Misses, long Evictions, int Entries, TimeSpan CompileTime)
{
    /// <summary>Share of the requests that found a plan, 0 to 1; 0 before the first request.</summary>
    public double HitRate => Hits + Misses == 0 ? 0 : (double)Hits / (Hits + Misses);
}

/// <summary>
/// Compiled graphs by their content: the same graph, rows and options are compiled once. What is kept is the plan,
/// which has no memory of a step, so programs made from it are the callers' own. The plan that was asked for the
/// longest time ago gives way to a new one. Safe for several threads; one of them compiles at a time.
/// </summary>
/// <param name="capacity">Plans that are kept at most, from 1.</param>
/// <param name="time">Clock of the compile time.</param>
public sealed class ProgramCache(int capacity, TimeProvider time)
{
    private readonly OrderedLock _gate = new("compiled programs", LockRank.Service);
    private readonly Dictionary<Key, LinkedListNode<(Key Key, Compilation Plan)>> _known = [];
    private readonly LinkedList<(Key Key, Compilation Plan)> _byUse = []; // the latest first
    private readonly int _capacity = capacity >= 1 ? capacity
        : throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "a cache keeps at least one plan");
    private ProgramCacheStatistics _statistics = new(0, 0, 0, 0, TimeSpan.Zero);

    private sealed record Key(string GraphSha256, int RowsMax, CompileOptions Options);

    /// <summary>Counts since the cache was made.</summary>
    public ProgramCacheStatistics Statistics
    {
        get
        {
            using (_gate.Enter()) return _statistics;
        }
    }

    /// <summary>As <see cref="TrainProgram.Compile"/>; the program belongs to the caller.</summary>
    /// <param name="forward">A graph with the output loss_sum.</param>
    /// <param name="rowsMax">Samples of the largest call.</param>
    /// <param name="options">Choices that keep every bit; null: the defaults.</param>
    /// <exception cref="GraphException">The graph breaks a rule; nothing is kept of it.</exception>
    public TrainProgram Compile(Graph forward, int rowsMax, CompileOptions? options = null)
    {
        var key = new Key(Convert.ToHexString(GraphCodec.Sha256(forward)), rowsMax, options ?? CompileOptions.Default);
        using (_gate.Enter())
        {
            if (_known.TryGetValue(key, out var found))
            {
                _byUse.Remove(found);
                _byUse.AddFirst(found);
                _statistics = _statistics with { Hits = _statistics.Hits + 1 };
                return TrainProgram.Of(found.Value.Plan, rowsMax);
            }

            var started = time.GetTimestamp();
            var plan = Compilation.Of(forward, rowsMax, key.Options);
            _statistics = _statistics with
            {
                Misses = _statistics.Misses + 1,
                CompileTime = _statistics.CompileTime + time.GetElapsedTime(started),
            };
            Keep(key, plan);
            return TrainProgram.Of(plan, rowsMax);
        }
    }

    private void Keep(Key key, Compilation plan)
    {
        if (_byUse.Count == _capacity)
        {
            _known.Remove(_byUse.Last!.Value.Key);
            _byUse.RemoveLast();
            _statistics = _statistics with { Evictions = _statistics.Evictions + 1 };
        }

        _known.Add(key, _byUse.AddFirst((key, plan)));
        _statistics = _statistics with { Entries = _byUse.Count };
    }
}
