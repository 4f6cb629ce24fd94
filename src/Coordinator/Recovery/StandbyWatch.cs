using Convoy.Coordinator.Api;
using Convoy.Shared.Threading;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Recovery;

/// <summary>
/// Which of the coordinators that stand by are alive, by the heartbeat of their files: one that has not changed within
/// the life of a lease is not, wherever its process is. Only changes count and only this process measures the time
/// between them, so clocks of two machines are never compared. Thread-safe.
/// </summary>
internal sealed class StandbyWatch(ClockTable clocks)
{
    private readonly OrderedLock _lock = new("who stands by", LockRank.Record);
    private readonly List<Seen> _seen = [];

    private sealed record Seen(EndpointFile File, DateTime Beat, Instant At);

    /// <param name="files">Those of processes that are not known to be gone, with the time of their last beat.</param>
    /// <param name="now">By the clock of this process.</param>
    /// <returns>Those that count, in the same order. One that is seen for the first time counts.</returns>
    public IReadOnlyList<EndpointFile> Alive(IReadOnlyList<(EndpointFile File, DateTime Beat)> files, Instant now)
    {
        using var held = _lock.Enter();
        _seen.RemoveAll(s => !files.Any(f => f.File == s.File));
        var alive = new List<EndpointFile>();
        foreach (var (file, beat) in files)
        {
            var at = _seen.FindIndex(s => s.File == file);
            if (at < 0 || _seen[at].Beat != beat)
            {
                if (at >= 0) _seen.RemoveAt(at);
                _seen.Add(new Seen(file, beat, now));
                alive.Add(file);
            }
            else if (now - _seen[at].At < clocks.Lease)
            {
                alive.Add(file);
            }
        }

        return alive;
    }
}
