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

/// <summary>The newest job of the first wall as the next leader goes on with it.</summary>
internal sealed record TakenOver(JobDescription Description, Manifest Draft, JobHistory History)
{
    /// <summary>Null: no job was ever submitted here, or by a version that did not keep its graph.</summary>
    /// <param name="journal">Of the new leader.</param>
    /// <param name="store">Published checkpoints are those that were renamed.</param>
    /// <param name="options">Of the new leader.</param>
    /// <param name="lastRow">Newest step whose row is durable.</param>
    public static TakenOver? Of(ControlJournal journal, CheckpointStore store, CoordinatorOptions options,
        StepNumber lastRow)
    {
        var newest = journal.FoldJobs().LastOrDefault(h => h.Submitted is { Beside: false });
        if (newest is not { Submitted: { Graph: { } graph } submitted } history) return null;
        var job = JobJson.Read(System.Text.Encoding.UTF8.GetBytes(submitted.JobJson));
        var origin = history.Checkpoint is { } saved
            ? new StateOrigin(saved.Step, saved.Fingerprint, saved.Path) : submitted.Origin ?? StateOrigin.Initial;
        origin = Published(store, origin, submitted.GraphSha256) ?? origin;
        var sha256 = Convert.FromHexString(submitted.GraphSha256);
        var description = new JobDescription
        {
            JobId = submitted.JobId, Job = job, Graph = graph, GraphSha256 = sha256, CheckpointRoot = store.Root,
            Origin = origin, DataSha256 = submitted.DataSha256, LastRow = lastRow, UntilStep = submitted.Until?.Value,
            WorkersExpected = submitted.WorkersExpected, IsOnlyJob = options.SingleJob,
            Clocks = JobSubmission.ClocksOf(options, job), Token = journal.Token, Command = submitted.Command,
        };
        return new TakenOver(description, JobSubmission.Draft(job, sha256), history);
    }

    /// <summary>Only the first wall's job is taken over. What ran beside it has failed, and is said to have.</summary>
    public static void EndBeside(ControlJournal journal, ILogSink log)
    {
        foreach (var history in journal.FoldJobs())
        {
            if (history is not { Over: null, Submitted: { Beside: true } job }) continue;
            var at = history.Checkpoint?.Step ?? job.Start;
            var text = $"{job.JobId} ran beside another job and is not taken over: it stays at its checkpoint of {at}; "
                + "submit it with --resume to a coordinator without standbys";
            journal.Append(job.JobId, new JobOver(job.JobId, JobProtocol.OutcomeFailed, at, text));
            log.Write(LogLevel.Warning, "coordinator", text);
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
