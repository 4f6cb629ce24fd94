using Convoy.Shared;

namespace Convoy.Actors.Runtime;

internal sealed class StashBuffer(ActorCell cell) : IStash
{
    private readonly List<Envelope> _stashed = [];

    public int Count => _stashed.Count;

    public void Stash()
    {
        var current = cell.CurrentEnvelope;
        if (current.Message is null) throw new InvalidOperationException("there is no current message to stash");
        if (_stashed.Count > 0 && _stashed[^1].Equals(current))
            throw new InvalidOperationException($"{current.Message.GetType().Name} was stashed twice");
        if (_stashed.Count >= cell.Props.MailboxCapacity)
            throw new StashOverflowException($"{cell.Self.Path} has {_stashed.Count} stashed messages, the limit");
        _stashed.Add(current);
    }

    public void Unstash()
    {
        if (_stashed.Count == 0) return;
        cell.Mailbox.Prepend([_stashed[0]]);
        _stashed.RemoveAt(0);
    }

    public void UnstashAll() => ReturnAll();

    /// <summary>Also at restart and at the end: a stashed message is a waiting message.</summary>
    public void ReturnAll()
    {
        if (_stashed.Count == 0) return;
        cell.Mailbox.Prepend(_stashed);
        _stashed.Clear();
    }
}
