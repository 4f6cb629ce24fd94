using System.Globalization;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;

namespace Convoy.Coordinator.Recovery;

/// <summary>What the journal says that a leader before this one left, in the order of submission.</summary>
/// <param name="First">Newest job of the first wall, also when it is over: its workers may not have heard so.</param>
/// <param name="Beside">Jobs with a wall of their own that are not over.</param>
internal sealed record LeftJobs(JobHistory? First, IReadOnlyList<JobHistory> Beside)
{
    public static readonly LeftJobs None = new(null, []);

    /// <summary>Jobs beside the first one that are over: their workers may not have heard so.</summary>
    public IReadOnlyDictionary<string, JobEnded> Over { get; init; } = new SortedDictionary<string, JobEnded>();

    /// <summary>
    /// A job that was submitted again is the one that counts: it goes on in the folder of the earlier one.
    /// </summary>
    public static LeftJobs Of(IReadOnlyList<JobHistory> jobs)
    {
        var beside = new List<JobHistory>();
        for (var i = 0; i < jobs.Count; i++)
        {
            if (jobs[i] is not { Over: null, Submitted: { Beside: true, Graph: not null } submitted }) continue;
            var name = NameOf(submitted);
            if (!jobs.Skip(i + 1).Any(later => later.Submitted is { } l && NameOf(l) == name)) beside.Add(jobs[i]);
        }

        var over = new SortedDictionary<string, JobEnded>(StringComparer.Ordinal);
        foreach (var job in jobs)
            if (job is { Submitted: { Beside: true } submitted, Over: not null })
                over[submitted.JobId] = JobProtocol.EndOf(job)!;
        return new LeftJobs(jobs.LastOrDefault(h => h.Submitted is { Beside: false }), beside) { Over = over };
    }

    /// <summary>Job ids are NAME-NUMBER.</summary>
    public static string NameOf(JobSubmitted job) => job.JobId[..job.JobId.LastIndexOf('-')];
}

/// <summary>A job as the next leader goes on with it.</summary>
internal sealed record TakenOver(JobDescription Description, Manifest Draft, JobHistory History)
{
    /// <summary>Null: no job was submitted there, or by a version that did not keep its graph.</summary>
    /// <param name="left">What the journal knows of it.</param>
    /// <param name="journal">Of the new leader.</param>
    /// <param name="store">Its checkpoints; published are those that were renamed.</param>
    /// <param name="options">Of the new leader.</param>
    /// <param name="lastRow">Newest step whose row is durable.</param>
    public static TakenOver? Of(JobHistory? left, ControlJournal journal, CheckpointStore store,
        CoordinatorOptions options, StepNumber lastRow)
    {
        if (left is not { Submitted: { Graph: { } graph } submitted } history) return null;
        var job = JobJson.Read(System.Text.Encoding.UTF8.GetBytes(submitted.JobJson));
        var origin = history.Checkpoint is { } saved
            ? new StateOrigin(saved.Step, saved.Fingerprint, saved.Path) : submitted.Origin ?? StateOrigin.Initial;
        origin = Published(store, origin, submitted.GraphSha256) ?? origin;
        var sha256 = Convert.FromHexString(submitted.GraphSha256);
        var rows = origin.Step > lastRow ? RowsBeside(store, origin, options.Log) : null;
        var description = new JobDescription
        {
            JobId = submitted.JobId, Job = job, Graph = graph, GraphSha256 = sha256, CheckpointRoot = store.Root,
            Origin = origin, DataSha256 = submitted.DataSha256, LastRow = rows is null ? lastRow : origin.Step,
            Rows = rows, UntilStep = submitted.Until?.Value,
            WorkersExpected = submitted.WorkersExpected, IsOnlyJob = options.SingleJob, Beside = submitted.Beside,
            Clocks = JobSubmission.ClocksOf(options, job), Token = journal.Token, Command = submitted.Command,
        };
        return new TakenOver(description, JobSubmission.Draft(job, sha256), history);
    }

    /// <summary>Of steps that nobody led. Without them the state is as good; only their rows are missing.</summary>
    internal static SavedRows? RowsBeside(CheckpointStore store, StateOrigin origin, ILogSink log)
    {
        if (origin.CheckpointPath.Length == 0) return null;
        try
        {
            return store.Open(origin.CheckpointPath).Rows();
        }
        catch (Exception e) when (e is UserException or IOException or UnauthorizedAccessException)
        {
            log.Write(LogLevel.Warning, "job", $"the rows of steps that nobody led are lost: {e.Message}");
            return null;
        }
    }

    /// <summary>
    /// A checkpoint that was renamed, and whose leader died before the journal heard of it: it was verified before
    /// that.
    /// </summary>
    private static StateOrigin? Published(CheckpointStore store, StateOrigin known, string graphSha256)
    {
        if (store.List() is not [.., { } newest] || newest.Step <= known.Step) return null;
        try
        {
            var manifest = store.Open(newest.Path).Manifest;
            if (manifest.GraphSha256 != graphSha256) return null;
            var fingerprint = ulong.Parse(manifest.Fingerprint, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return new StateOrigin(new StepNumber(manifest.Step), new Fingerprint(fingerprint), newest.Path);
        }
        catch (Exception e) when (e is UserException or IOException or UnauthorizedAccessException)
        {
            return null; // what cannot be read now is no state to go on from; the journal names an older one
        }
    }
}
