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
    // With the process at the other end as it was when the link came up: one that dials on after a loss forgets it, and
    // the word of the loss may be read later than that.
    private readonly List<(Peer Peer, Incarnation Process)> _up = [];
    private readonly List<(Peer Peer, Incarnation To)> _dialled = [];
    private IReadOnlyList<Member> _members = [];
    private IReadOnlyList<Member> _teachers = []; // members that this learner follows

    /// <summary>Learners that are fed from here: their links are no members', and stay.</summary>
    public IReadOnlyList<Incarnation> Pupils { get; set; } = [];

    /// <summary>Every other member is linked.</summary>
    public bool AllLinked =>
        _members.All(m => m.WorkerId == me.Value || Find(new Incarnation(m.Incarnation)) is not null);

    /// <summary>A member's link has lost a lane: it comes back, or ends, within its grace.</summary>
    public bool AnyIsSuspect =>
        _members.Any(m => m.WorkerId != me.Value && Find(m) is { State: LinkState.Suspect });

    /// <summary>
    /// Of two links to a process the one that is whole: it may have closed the other one and dialled anew before this
    /// end gives that one up.
    /// </summary>
    public Peer? Find(Incarnation incarnation) =>
        _up.Find(u => u.Process == incarnation && u.Peer.State == LinkState.Up).Peer
        ?? _up.Find(u => u.Process == incarnation).Peer;

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
        (_members, _teachers) = (members, []);
        foreach (var peer in All().Where(p => !IsWanted(p)).ToArray()) Drop(peer);
        foreach (var member in members)
        {
            var to = new Incarnation(member.Incarnation);
            if (me.Value < member.WorkerId) Dial(member, to);
        }
    }

    /// <summary>
    /// A learner dials all members itself; what is linked already stays. Links that others dialled stay too: a member
    /// of a generation that this worker has not heard of yet may be at their other end, and would miss it.
    /// </summary>
    public void Follow(IReadOnlyList<Member> teachers)
    {
        (_members, _teachers) = ([], teachers);
        foreach (var peer in _dialled.Select(d => d.Peer).Where(p => !IsWanted(p)).ToArray()) Drop(peer);
        foreach (var teacher in teachers) Dial(teacher, new Incarnation(teacher.Incarnation));
    }

    private void Dial(Member member, Incarnation to)
    {
        if (Find(to) is null && !_dialled.Exists(d => d.To == to && d.Peer.State != LinkState.Closed))
            _dialled.Add((connect(member.PeerAddress, owner, to), to));
    }

    /// <summary>Ends the link of a learner, whatever is on its way there.</summary>
    public void DropPupil(Incarnation pupil)
    {
        if (Find(pupil) is { } peer && _members.All(m => m.Incarnation != pupil.Value)) Drop(peer);
    }

    /// <summary>The process at the other end; null: the link is lost again already.</summary>
    public Incarnation? Up(Peer peer)
    {
        if (peer.Id is not { } id) return null;
        if (!_up.Exists(u => u.Peer == peer)) _up.Add((peer, id.Incarnation));
        return id.Incarnation;
    }

    /// <summary>The process that the lost link led to; null: this worker had let it go itself.</summary>
    public Incarnation? Down(Peer peer)
    {
        var at = _up.FindIndex(u => u.Peer == peer);
        if (at < 0) return null;
        var process = _up[at].Process;
        _up.RemoveAt(at);
        return process;
    }

    /// <summary>The member that runs in this process, if one does.</summary>
    public Member? MemberIn(Incarnation process) => _members.FirstOrDefault(m => m.Incarnation == process.Value);

    public void DropAll()
    {
        (_members, _teachers, Pupils) = ([], [], []);
        foreach (var peer in All().ToArray()) Drop(peer);
    }

    private IEnumerable<Peer> All() => _up.Select(u => u.Peer).Concat(_dialled.Select(d => d.Peer)).Distinct();

    private void Drop(Peer peer)
    {
        _up.RemoveAll(u => u.Peer == peer);
        _dialled.RemoveAll(d => d.Peer == peer);
        peer.Close();
    }

    // A link that is being dialled is known by the process that it looks for.
    private bool IsWanted(Peer peer)
    {
        var up = _up.FindIndex(u => u.Peer == peer);
        var process = up >= 0 ? _up[up].Process : _dialled.Find(d => d.Peer == peer).To;
        return Pupils.Contains(process)
            || _members.Concat(_teachers).Any(m => m.WorkerId != me.Value && m.Incarnation == process.Value);
    }
}
