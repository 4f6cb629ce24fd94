using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Coordinator.Membership;

/// <summary>One thing for the shell to do.</summary>
internal abstract record MembershipEffect;

internal sealed record Persist(MembershipEvent Event) : MembershipEffect;

internal sealed record Send(WorkerId To, Incarnation Incarnation, IMessage Message) : MembershipEffect;

/// <summary>The same message to very many members: it goes down a tree (docs/protocols/cast.md).</summary>
internal sealed record SendCast(IReadOnlyList<WorkerId> To, IMessage Message) : MembershipEffect;

/// <summary>Members that have not answered the cast are told again, each by itself.</summary>
internal sealed record AskSilentMembers : MembershipEffect;

/// <summary>The connection gets no more messages and is closed after what was sent.</summary>
internal sealed record Disconnect(Incarnation Incarnation, string Reason) : MembershipEffect;

internal sealed record Note(string Text) : MembershipEffect;

internal sealed record Raise(MembershipNews News) : MembershipEffect;

/// <summary>
/// What one call of the protocol wants done, in this order. The shell does each thing before it begins the next, so a
/// message that follows a record is sent after the record is durable (M5).
/// </summary>
internal sealed class MembershipOutbox
{
    private readonly List<MembershipEffect> _effects = [];
    private Generation _persisted;

    public IReadOnlyList<MembershipEffect> Effects => _effects;

    public void Persist(MembershipEvent happened)
    {
        if (happened is FencingStarted or GenerationOpened)
        {
            var generation = (happened as FencingStarted)?.Generation ?? ((GenerationOpened)happened).Generation;
            Invariant.Check(generation >= _persisted, "M1 generations never fall in the journal");
            _persisted = generation;
        }

        _effects.Add(new Persist(happened));
    }

    public void Send(WorkerRecord to, IMessage message)
    {
        CheckDurable(message);
        _effects.Add(new Send(to.Id, to.Incarnation, message));
    }

    /// <param name="to">Sorted by worker.</param>
    /// <param name="message">A Fence or an Open.</param>
    public void Cast(IReadOnlyList<WorkerId> to, IMessage message)
    {
        CheckDurable(message);
        _effects.Add(new SendCast(to, message));
    }

    public void AskSilent() => _effects.Add(new AskSilentMembers());

    private void CheckDurable(IMessage message)
    {
        if (message is Open open)
            Invariant.Check(open.Generation == _persisted.Value, "M5 Open follows its journal record");
    }

    public void SendTo(Incarnation stranger, IMessage message) => _effects.Add(new Send(default, stranger, message));

    public void Disconnect(Incarnation incarnation, string reason) => _effects.Add(new Disconnect(incarnation, reason));

    public void Note(string text) => _effects.Add(new Note(text));

    public void Raise(MembershipNews news) => _effects.Add(new Raise(news));

    /// <summary>Takes what is there; the outbox is empty then.</summary>
    public List<MembershipEffect> Drain()
    {
        var effects = _effects.ToList();
        _effects.Clear();
        return effects;
    }
}
