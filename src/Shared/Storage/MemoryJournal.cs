using Convoy.Shared.Ids;
using Convoy.Shared.Threading;

namespace Convoy.Shared.Storage;

/// <summary>The journal in memory, for tests and simulation. It outlives the leaders that use it.</summary>
public sealed class MemoryJournal(TimeProvider time) : IJournal
{
    private readonly OrderedLock _lock = new("a journal in memory", LockRank.Storage);
    private readonly SortedDictionary<string, List<JournalEvent>> _streams = new(StringComparer.Ordinal);
    private Lease? _current;
    private DateTimeOffset _expires;

    public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null)
    {
        using (_lock.Enter())
        {
            var now = time.GetUtcNow();
            if (_current is not null && now < _expires && isGone?.Invoke(_current.Holder) != true)
                return new LeaseAnswer(null, _current.Holder, _expires - now);
            _current = new Lease(holder, new LeaderToken((_current?.Token.Value ?? 0) + 1));
            _expires = now + life;
            return new LeaseAnswer(_current, holder, life);
        }
    }

    public bool Renew(Lease lease, TimeSpan life)
    {
        using (_lock.Enter())
        {
            if (_current?.Token != lease.Token) return false;
            _expires = time.GetUtcNow() + life;
            return true;
        }
    }

    public void Release(Lease lease)
    {
        using (_lock.Enter())
        {
            if (_current?.Token == lease.Token) _expires = time.GetUtcNow();
        }
    }

    public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events)
    {
        using (_lock.Enter())
        {
            if (_current?.Token != lease.Token) return AppendResult.LeaseLost;
            if (!_streams.TryGetValue(stream, out var list)) _streams[stream] = list = [];
            if (list.Count != afterSeq) return AppendResult.SeqTaken;
            foreach (var e in events)
                list.Add(new JournalEvent(stream, list.Count + 1, lease.Token, e.Type, e.Json, time.GetUtcNow()));
            return AppendResult.Appended;
        }
    }

    public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0)
    {
        using (_lock.Enter())
        {
            return _streams.TryGetValue(stream, out var list) ? [.. list.Where(e => e.Seq > afterSeq)] : [];
        }
    }

    public IReadOnlyList<string> Streams()
    {
        using (_lock.Enter())
        {
            return [.. _streams.Where(s => s.Value.Count > 0).Select(s => s.Key)];
        }
    }

    public void Dispose()
    {
        // Nothing is held: a test that restarts a leader disposes its journal and opens the same one again.
    }
}
