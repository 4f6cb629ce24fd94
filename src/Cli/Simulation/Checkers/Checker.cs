using System.Globalization;
using System.Runtime.CompilerServices;
using Convoy.Actors.Simulation;
using Convoy.Coordinator.Api;
using Convoy.Shared.Ids;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>An invariant that did not hold.</summary>
internal sealed record Violation(string Checker, string Text)
{
    public override string ToString() => $"{Checker}: {Text}";
}

/// <summary>
/// Looks at the history of one run from outside and keeps one invariant. Checkers share no code with the system: what
/// they compare with, they compute themselves. One checker, one invariant, one file.
/// </summary>
internal abstract class Checker
{
    private SimulatedCluster? _cluster;

    /// <summary>The cluster that is looked at; its figures may be read.</summary>
    public SimulatedCluster Cluster
    {
        get => _cluster!;
        set => _cluster = value;
    }

    private SimulatedJob? _job;

    /// <summary>The job that is looked at, by checkers of one job.</summary>
    public SimulatedJob Job
    {
        get => _job!;
        set => _job = value;
    }

    public string Name => GetType().Name.Replace("Checker", "", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>It looks at messages.</summary>
    public bool Listens => GetType().GetMethod(nameof(OnDelivered))!.DeclaringType != typeof(Checker);

    protected TimeSpan Now => TimeSpan.FromMicroseconds(Cluster.World.Now.Microseconds);

    protected void Fail(string text) => Cluster.OnViolation(new Violation(Name, text));

    /// <summary>The text is made only when it is needed: most checks hold, and there are millions.</summary>
    protected void Check(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref CheckText text)
    {
        if (!holds) Fail(text.Text);
    }

    [InterpolatedStringHandler]
    protected ref struct CheckText
    {
        private DefaultInterpolatedStringHandler _text;

        public CheckText(int literals, int values, bool holds, out bool isNeeded)
        {
            isNeeded = !holds;
            if (isNeeded) _text = new DefaultInterpolatedStringHandler(literals, values, CultureInfo.InvariantCulture);
        }

        public string Text => _text.ToStringAndClear();

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value, string? format = null) => _text.AppendFormatted(value, format);
    }

    /// <summary>Slices of a step are computed at a worker.</summary>
    public virtual void OnRun(string host, long step, int firstSlice, IReadOnlyList<int> rows,
        IReadOnlyList<long> samples)
    {
    }

    /// <summary>A worker has applied a step.</summary>
    public virtual void OnApplied(string host, ulong incarnation, long step, ReadOnlySpan<float> weights,
        ReadOnlySpan<float> momentum)
    {
    }

    /// <summary>An event is durable in the journal.</summary>
    public virtual void OnAppended(long token, string type, JournalRecord record)
    {
    }

    /// <summary>A coordinator got the lease.</summary>
    public virtual void OnLease(long token)
    {
    }

    /// <summary>A control message arrived.</summary>
    public virtual void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
    }

    /// <summary>A client was told that its command is accepted.</summary>
    public virtual void OnAnswered(string command)
    {
    }

    /// <summary>A worker process was assigned to this job, for the first time or after another job.</summary>
    public virtual void OnCame(string host, Incarnation incarnation)
    {
    }

    public virtual void OnProcessStarted(string host, Incarnation incarnation)
    {
    }

    public virtual void OnProcessEnded(string host, string why)
    {
    }

    public virtual void OnFault(Fault fault, string what)
    {
    }

    /// <summary>The storage server is back after a crash.</summary>
    public virtual void OnDiskRecovered()
    {
    }

    public virtual void OnJobOver(StatusReport report)
    {
    }

    /// <summary>Four times in a simulated second.</summary>
    public virtual void OnLook()
    {
    }

    /// <summary>The run is over.</summary>
    public virtual void OnEnd()
    {
    }

    /// <summary>They judge one job, as if it were alone.</summary>
    public static Checker[] OfOneJob() =>
    [
        new LearnersChecker(), new SamplesChecker(), new CommitChecker(), new ReplicasChecker(),
        new GenerationsChecker(), new CheckpointsChecker(), new ProgressChecker(), new WaitsChecker(),
        new BlameChecker(), new CastsChecker(), new VotesChecker(), new TakeoverChecker(),
        new SavesChecker(),
    ];

    /// <summary>They judge the cluster, whatever trains in it.</summary>
    public static Checker[] OfAllJobs() =>
        [new LeaderChecker(), new QueuesChecker(), new FailuresChecker(), new CommandsChecker()];
}
