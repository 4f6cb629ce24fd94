using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

/// <summary>
/// Links to the other members. Of two workers the one with the lower id dials. A link outlives generations while both
/// processes do; who is no member any more is let go. Used by one actor only.
/// </summary>
internal sealed class PeerTable(Func<string, IActorRef, Incarnation, Peer> connect, IActorRef owner, WorkerId me)
{
    private readonly List<Peer> _up = [];
    private readonly List<(Peer Peer, Incarnation To)> _dialled = [];
    private IReadOnlyList<Member> _members = [];

    /// <summary>Every other member is linked.</summary>
    public bool AllLinked =>
        _members.All(m => m.WorkerId == me.Value || Find(new Incarnation(m.Incarnation)) is not null);

    public Peer? Find(Incarnation incarnation) => _up.Find(p => p.Id is { } id && id.Incarnation == incarnation);

    public Peer? Find(WorkerId worker) =>
        _members.FirstOrDefault(m => m.WorkerId == worker.Value) is { } member
            ? Find(new Incarnation(member.Incarnation)) : null;

    /// <summary>Null for this worker, and for one that is not linked.</summary>
    public Peer? Find(Member member) =>
        member.WorkerId == me.Value ? null : Find(new Incarnation(member.Incarnation));

    /// <summary>In the order of the members; null for this worker.</summary>
    public IReadOnlyList<Peer?> ByMember() => [.. _members.Select(Find)];

    public IEnumerable<WorkerId> Missing() => _members
        .Where(m => m.WorkerId != me.Value && Find(new Incarnation(m.Incarnation)) is null)
        .Select(m => new WorkerId(m.WorkerId));

    public void Enter(IReadOnlyList<Member> members)
    {
        _members = members;
        foreach (var peer in All().Where(p => !IsWanted(p)).ToArray()) Drop(peer);
        foreach (var member in members)
        {
            var to = new Incarnation(member.Incarnation);
            var dialHere = me.Value < member.WorkerId && Find(to) is null
                && !_dialled.Exists(d => d.To == to && d.Peer.State != LinkState.Closed);
            if (dialHere) _dialled.Add((connect(member.PeerAddress, owner, to), to));
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
        foreach (var peer in All().ToArray()) Drop(peer);
    }

    private IEnumerable<Peer> All() => _up.Concat(_dialled.Select(d => d.Peer)).Distinct();

    private void Drop(Peer peer)
    {
        _up.Remove(peer);
        _dialled.RemoveAll(d => d.Peer == peer);
        peer.Close();
    }

    // A link that is being dialled is known by the process that it looks for.
    private bool IsWanted(Peer peer)
    {
        var process = _up.Contains(peer) ? peer.Id?.Incarnation : _dialled.Find(d => d.Peer == peer).To;
        return process is { } one && _members.Any(m => m.WorkerId != me.Value && m.Incarnation == one.Value);
    }
}
