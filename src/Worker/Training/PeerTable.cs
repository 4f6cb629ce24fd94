using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

/// <summary>
/// Links to the other members. Of two workers the one with the lower id dials. A link outlives generations while both
/// processes do; who is no member any more is let go. Used by one actor only.
/// </summary>
internal sealed class PeerTable(Func<string, IActorRef, Peer> connect, IActorRef owner, WorkerId me)
{
    private readonly List<Peer> _up = [];
    private readonly List<Peer> _dialled = [];
    private IReadOnlyList<Member> _members = [];

    /// <summary>Every other member is linked.</summary>
    public bool AllLinked => _members.All(m => m.WorkerId == me.Value || Find(new Incarnation(m.Incarnation)) is not null);

    public Peer? Find(Incarnation incarnation) => _up.Find(p => p.Id is { } id && id.Incarnation == incarnation);

    public Peer? Find(WorkerId worker) =>
        _members.FirstOrDefault(m => m.WorkerId == worker.Value) is { } member ? Find(new Incarnation(member.Incarnation)) : null;

    /// <summary>In the order of the members; null for this worker.</summary>
    public IReadOnlyList<Peer?> ByMember() =>
        [.. _members.Select(m => m.WorkerId == me.Value ? null : Find(new Incarnation(m.Incarnation)))];

    public IEnumerable<WorkerId> Missing() => _members
        .Where(m => m.WorkerId != me.Value && Find(new Incarnation(m.Incarnation)) is null)
        .Select(m => new WorkerId(m.WorkerId));

    public void Enter(IReadOnlyList<Member> members)
    {
        _members = members;
        foreach (var peer in _up.Concat(_dialled).Distinct().Where(p => !IsWanted(p)).ToArray()) Drop(peer);
        foreach (var member in members)
        {
            var dialHere = me.Value < member.WorkerId && Find(new Incarnation(member.Incarnation)) is null
                && !_dialled.Exists(p => p.Address == member.PeerAddress && p.State != LinkState.Closed);
            if (dialHere) _dialled.Add(connect(member.PeerAddress, owner));
        }
    }

    public void Up(Peer peer)
    {
        if (!_up.Contains(peer)) _up.Add(peer);
    }

    /// <summary>The member that the lost link led to, if it was one.</summary>
    public Member? Down(Peer peer)
    {
        var was = _up.Remove(peer);
        return was && peer.Id is { } id ? _members.FirstOrDefault(m => m.Incarnation == id.Incarnation.Value) : null;
    }

    public void DropAll()
    {
        _members = [];
        foreach (var peer in _up.Concat(_dialled).Distinct().ToArray()) Drop(peer);
    }

    private void Drop(Peer peer)
    {
        _up.Remove(peer);
        _dialled.Remove(peer);
        peer.Close();
    }

    // A link that is being dialled is known by its address only; a member behind another address is another process.
    private bool IsWanted(Peer peer) => _members.Any(m => m.WorkerId != me.Value
        && (_up.Contains(peer) ? peer.Id is { } id && id.Incarnation.Value == m.Incarnation : peer.Address == m.PeerAddress));
}
