using Convoy.Shared.Ids;

namespace Convoy.Shared.Storage;

/// <summary>An event of the control plane as it lies in the journal. Sequence numbers count from 1 in each
/// stream.</summary>
public sealed record JournalEvent(string Stream, long Seq, LeaderToken Token, string Type, string Json,
    DateTimeOffset Utc);

/// <summary>An event to be appended.</summary>
public sealed record NewEvent(string Type, string Json);

/// <summary>The right to append, proved by its token. Holding one says nothing about whether it still counts.</summary>
public sealed record Lease(string Holder, LeaderToken Token);

/// <summary>Answer to an attempt to lead: a lease, or who has it and for how long (below zero: it is over).</summary>
public sealed record LeaseAnswer(Lease? Lease, string Holder, TimeSpan ExpiresIn)
{
    /// <summary>The lease could be taken, but a process keeps the journal locked, as one that was stopped in the
    /// middle of an append does: this is what to say of it. Null: it is not locked.</summary>
    public UserException? Locked { get; init; }
}

public enum AppendResult
{
    /// <summary>Durable.</summary>
    Appended,
    /// <summary>The token is not the current one: another leader has taken over, and nothing was written
    /// (L1).</summary>
    LeaseLost,
    /// <summary>The stream has moved on since it was read; nothing was written.</summary>
    SeqTaken,
}

/// <summary>
/// The truth of the control plane (decision 10): streams of events, and the leader lease that decides who may append.
/// Time is the journal's own clock, so two leaders never compare theirs. Safe to call from any thread; calls block.
/// Whatever keeps the journal from working is a UserException with advice.
/// </summary>
public interface IJournal : IDisposable
{
    /// <summary>
    /// Takes the lease with a new, higher token where nobody holds it, it has expired, or its holder is known to be
    /// gone. A look at a lease that cannot be taken locks nothing.
    /// </summary>
    /// <param name="holder">Who asks, for people to read.</param>
    /// <param name="life">Time until it expires unless renewed.</param>
    /// <param name="isGone">Tells of the present holder, by its name, that it cannot act any more. Null: wait for the
    /// expiry.</param>
    LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null);

    /// <summary>Extends the lease; false when another token is current.</summary>
    bool Renew(Lease lease, TimeSpan life);

    /// <summary>Lets the lease expire at once; nothing happens when another token is current.</summary>
    void Release(Lease lease);

    /// <summary>
    /// Appends events to a stream in one transaction that checks the token and that the stream ends at
    /// <paramref name="afterSeq"/> (0: it is empty). All or nothing.
    /// </summary>
    AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events);

    /// <summary>Events of a stream with a higher sequence number, in order.</summary>
    IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0);

    /// <summary>Names of all streams in ordinal order.</summary>
    IReadOnlyList<string> Streams();
}
