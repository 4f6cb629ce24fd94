using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

// Phase Vote: with a part of the state in few hands, a step that one member applies and another has lost could neither
// be finished nor redone. Each says that it holds all of its step, and applies when everybody has said so. Whoever is
// fenced first says nothing more: what it answers is what its votes allowed.
internal sealed partial class StepProtocol
{
    /// <summary>Votes of the open generation; null: it commits locally.</summary>
    public Ballot? Ballot { get; private set; }

    /// <summary>In the order of positions.</summary>
    public IReadOnlyList<Member> Members => _members;

    private void BeginVote(StepOutbox outbox)
    {
        Become(StepStatus.Vote);
        Ballot!.SayOwn();
        CountVotes(outbox);
    }

    private void OnComplete(Complete m, StepOutbox outbox)
    {
        if (IgnoreComplete(m) is { } reason) { outbox.Note($"Complete of w{m.From}: {reason}"); return; }
        if (Ballot!.Hear(PositionOf(m.From), m.OfAll) is { } refusal)
        {
            outbox.Note($"Complete of w{m.From}: step {m.Step}: {refusal}");
            return;
        }

        if (Status == StepStatus.Vote) CountVotes(outbox);
    }

    private string? IgnoreComplete(Complete m) =>
        m.Generation != Generation.Value ? $"of g{m.Generation} step {m.Step}, this worker is in {Generation} (S4)"
        : PositionOf(m.From) < 0 ? "not a member"
        : Ballot is null ? $"{Generation} commits locally, nobody votes"
        : m.Step != State.Next.Value ? $"of step {m.Step}, this worker makes step {State.Next} (S4)"
        : Status is StepStatus.Compute or StepStatus.Reduce or StepStatus.Vote ? null
        : $"no vote is under way in {Status} (S4)";

    private void CountVotes(StepOutbox outbox)
    {
        var (from, end, ofAll) = Ballot!.Next();
        if (end > from)
        {
            var vote = new Complete
            { Generation = Generation.Value, Step = State.Next.Value, From = me.Value, OfAll = ofAll };
            outbox.Add(Ballot.IsTree ? new TellSome(from, end, vote) : new TellMembers(vote));
        }

        if (Ballot.IsUnanimous) BeginApply(outbox);
    }

    private int PositionOf(int worker)
    {
        for (var i = 0; i < _members.Count; i++)
            if (_members[i].WorkerId == worker) return i;
        return -1;
    }
}
