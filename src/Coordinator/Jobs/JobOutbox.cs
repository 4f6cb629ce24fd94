using Convoy.Coordinator.Api;
using Convoy.Coordinator.Membership;
using Convoy.Shared;
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

    public bool IsEmpty => _effects.Count == 0;

    public void Persist(JobEvent happened) => _effects.Add(new PersistJob(happened));

    public void Send(JobWorker to, IMessage message) => _effects.Add(new TellWorker(to.Id, to.Incarnation, message));

    public void Tell(MembershipInput input) => _effects.Add(new TellMembership(input));

    public void Append(StepView row) => _effects.Add(new AppendRow(row));

    public void Note(string text, bool warning = false) => _effects.Add(new JobNote(text, warning));

    public void End(string outcome) => _effects.Add(new JobIsOver(outcome));

    public List<JobEffect> Drain()
    {
        var effects = new List<JobEffect>(_effects);
        _effects.Clear();
        return effects;
    }
}

/// <summary>What a job appends to the journal.</summary>
internal abstract record JobEvent;

/// <param name="JobId">Its name here.</param>
/// <param name="JobJson">As it was submitted.</param>
/// <param name="GraphSha256">Of the graph, hexadecimal.</param>
/// <param name="Start">State that the run starts from.</param>
/// <param name="Until">State at which it stops before its end.</param>
/// <param name="Graph">The graph itself: whoever leads next assigns it.</param>
/// <param name="Origin">The checkpoint of <paramref name="Start"/>.</param>
/// <param name="DataSha256">Hash of the data that the checkpoint was trained on.</param>
/// <param name="WorkersExpected">Members that the first generation waits for.</param>
/// <param name="Command">Number that the client gave its command (L6).</param>
/// <param name="Beside">It runs beside the first job, in a folder and a stream of its own.</param>
internal sealed record JobSubmitted(
    string JobId, string JobJson, string GraphSha256, StepNumber Start, StepNumber? Until, byte[]? Graph = null,
    StateOrigin? Origin = null, string DataSha256 = "", int WorkersExpected = 0, string Command = "",
    bool Beside = false) : JobEvent;

/// <summary>What the first worker found in the data: every later one must find the same (JB-1).</summary>
internal sealed record JobAgreed(string JobId, string Worker, long Samples, long TestSamples, string DataSha256,
    Fingerprint InitialFingerprint) : JobEvent;

/// <summary>A stop that was promised to a client.</summary>
internal sealed record StopTaken(string JobId, string Reason, string Command) : JobEvent;

/// <summary>A number of workers that was promised to a client.</summary>
internal sealed record ScaleTaken(string JobId, int Workers, string Command) : JobEvent;

internal sealed record CheckpointPublished(
    string JobId, StepNumber Step, Fingerprint Fingerprint, string Path) : JobEvent;

internal sealed record JobOver(string JobId, string Outcome, StepNumber Step, string Text,
    string? WeightsSha256 = null, IReadOnlyDictionary<string, double>? Metrics = null) : JobEvent;

/// <summary>One job as its stream tells it (L7).</summary>
internal sealed class JobHistory
{
    private readonly List<string> _commands = [];

    public JobSubmitted? Submitted { get; private set; }
    public JobAgreed? Agreed { get; private set; }
    public CheckpointPublished? Checkpoint { get; private set; }
    public StopTaken? Stop { get; private set; }
    public int Scale { get; private set; }
    public JobOver? Over { get; private set; }
    /// <summary>Commands of clients that had their effect, oldest first (L6).</summary>
    public IReadOnlyList<string> Commands => _commands;

    public void Apply(JobEvent happened)
    {
        switch (happened)
        {
            case JobSubmitted e: Submitted = e; Remember(e.Command); break;
            case JobAgreed e: Agreed = e; break;
            case CheckpointPublished e: Checkpoint = e; break;
            case StopTaken e: Stop ??= e; Remember(e.Command); break;
            case ScaleTaken e: Scale = e.Workers; Remember(e.Command); break;
            case JobOver e: Over = e; break;
            default: throw Invariant.Unhandled(happened);
        }
    }

    private void Remember(string command)
    {
        if (command.Length > 0) _commands.Add(command);
    }
}
