using Convoy.Coordinator.Api;
using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Google.Protobuf;

namespace Convoy.Coordinator.Jobs;

/// <summary>One thing for the shell to do, in order: a record before the message that depends on it.</summary>
internal abstract record JobEffect;

internal sealed record PersistJob(JobEvent Event) : JobEffect;

internal sealed record TellWorker(WorkerId Worker, Incarnation Incarnation, IMessage Message) : JobEffect;

internal sealed record TellMembership(MembershipInput Input) : JobEffect;

/// <summary>A committed step, in order, each exactly once (S5).</summary>
internal sealed record AppendRow(StepView Row) : JobEffect;

internal sealed record JobNote(string Text, bool Warning) : JobEffect;

/// <summary>The job is over. Nothing follows.</summary>
internal sealed record JobIsOver(string Outcome) : JobEffect;

internal sealed class JobOutbox
{
    private readonly List<JobEffect> _effects = [];

    public void Persist(JobEvent happened) => _effects.Add(new PersistJob(happened));

    public void Send(JobWorker to, IMessage message) => _effects.Add(new TellWorker(to.Id, to.Incarnation, message));

    public void Tell(MembershipInput input) => _effects.Add(new TellMembership(input));

    public void Append(StepView row) => _effects.Add(new AppendRow(row));

    public void Note(string text, bool warning = false) => _effects.Add(new JobNote(text, warning));

    public void End(string outcome) => _effects.Add(new JobIsOver(outcome));

    public List<JobEffect> Drain()
    {
        var effects = _effects.ToList();
        _effects.Clear();
        return effects;
    }
}

/// <summary>What a job appends to the journal.</summary>
internal abstract record JobEvent;

internal sealed record JobSubmitted(
    string JobId, string JobJson, string GraphSha256, StepNumber Start, StepNumber? Until) : JobEvent;

internal sealed record CheckpointPublished(
    string JobId, StepNumber Step, Fingerprint Fingerprint, string Path) : JobEvent;

internal sealed record JobOver(string JobId, string Outcome, StepNumber Step, string Text) : JobEvent;
