using System.Globalization;
using System.Security.Cryptography;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Threading;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Jobs;

/// <summary>
/// Looks at a request before a job exists: is it a job, does it fit the cluster, which checkpoint does it go on from?
/// What is wrong is refused here, in one line, and nothing is written.
/// </summary>
internal sealed class JobSubmission(
    CoordinatorOptions options, ControlJournal journal, CheckpointStore store, string checkpointRoot)
{
    private readonly OrderedLock _numbersLock = new("the numbers of jobs", LockRank.Service);
    private volatile bool _closed;
    private int _number;

    /// <summary>Of all jobs of this coordinator; null: it takes one at a time.</summary>
    public JobBoards? Boards { get; init; }

    /// <summary>Checkpoints at a place beside the first one.</summary>
    public Func<string, CheckpointStore> StoreAt { get; init; } = root => new CheckpointStore(root, RealDisk.Instance);

    /// <summary>Whether a job beside the first one has a folder already.</summary>
    public Func<string, bool> FolderExists { get; init; } = Directory.Exists;

    /// <summary>Nothing is taken any more.</summary>
    public void Close() => _closed = true;

    public Task<TakeJob> PrepareAsync(SubmitRequest request) =>
        // Verifying a checkpoint hashes all of it: not on the thread that answers.
        Task.Run(() => Prepare(request));

    /// <summary>The answer that this command got before, from whoever led then (L6); null: it is new.</summary>
    public Task<SubmitReply?> TakenBeforeAsync(string command) => Task.Run(() => TakenBefore(command));

    internal SubmitReply? TakenBefore(string command) =>
        command.Length > 0 && journal.FoldSubmitted(command) is { } job
            ? new SubmitReply { JobId = job.JobId, StartStep = job.Start.Value } : null;

    /// <summary>As <see cref="PrepareAsync"/>, on the calling thread.</summary>
    public TakeJob Prepare(SubmitRequest request)
    {
        if (_closed)
            throw new UserException(ExitCode.Cluster,
                "this coordinator is ending and takes no more jobs: submit it to the next one");
        var job = JobJson.Read(JobJson.Write(request.Job));
        if (request.Graph.Length is 0 or > Limits.ControlMessageBytesMax / 2)
            throw new UserException(ExitCode.BadJob,
                $"the graph has {request.Graph.Length} bytes; 1 to {Limits.ControlMessageBytesMax / 2} are possible");
        if (request.UntilStep is < 1) throw new UserException(ExitCode.Usage, $"steps {request.UntilStep}: at least 1");
        if (options.WorkersExpected > Math.Min(job.Elastic.Max, job.Slices))
        {
            throw new UserException(ExitCode.BadJob, $"{options.WorkersExpected} workers, but the job allows at most "
                + $"{Math.Min(job.Elastic.Max, job.Slices)} (elastic.max {job.Elastic.Max}, slices {job.Slices})");
        }

        var graphSha256 = SHA256.HashData(request.Graph);
        var draft = Draft(job, graphSha256);
        var folder = FolderOf(job.Job, request.Resume);
        var root = folder is null ? checkpointRoot : CheckpointsOf(folder);
        var place = folder is null ? store : StoreAt(root);
        var origin = request.Resume ? Resume(place, draft) : Fresh(place);
        var description = new JobDescription
        {
            JobId = $"{job.Job}-{NextNumber().ToString(CultureInfo.InvariantCulture)}", Job = job,
            Graph = request.Graph, GraphSha256 = graphSha256, CheckpointRoot = root, Origin = origin.Origin,
            DataSha256 = origin.DataSha256, LastRow = origin.Origin.Step,
            Rows = TakenOver.RowsBeside(place, origin.Origin, options.Log), UntilStep = request.UntilStep,
            WorkersExpected = options.WorkersExpected, IsOnlyJob = options.SingleJob, Clocks = ClocksOf(options, job),
            Command = request.Command, Beside = folder is not null, Token = journal.Token,
            LaunchLead = request.LaunchedAt is { } at ? Positive(options.Time.GetUtcNow() - at) : TimeSpan.Zero,
        };
        return new TakeJob(description, draft) { Folder = folder };
    }

    /// <summary>Two that submit at the same time get two numbers.</summary>
    private int NextNumber()
    {
        using (_numbersLock.Enter()) return _number = Math.Max(_number, journal.JobsCount) + 1;
    }

    /// <summary>
    /// A job that comes while another one runs has a folder of its own, by its name: --resume finds it again.
    /// </summary>
    private string? FolderOf(string job, bool resume)
    {
        if (Boards is null || options.SingleJob) return null;
        if (resume && Boards.LiveId(job) is { } live)
        {
            throw new UserException(ExitCode.Cluster, $"{live} goes on here already: a coordinator goes on by itself "
                + $"with what it left; follow it with 'convoy status --job {job}'");
        }

        var folder = FolderOf(options.StateDirectory, job);
        return Boards.FirstIsBusy || (resume && FolderExists(folder)) ? folder : null;
    }

    internal static string FolderOf(string stateDirectory, string job) => Path.Combine(stateDirectory, "jobs", job);

    internal static string CheckpointsOf(string folder) => Path.Combine(folder, "checkpoints");

    /// <summary>Its place in the order of submissions.</summary>
    internal static long NumberOf(string jobId) =>
        long.TryParse(jobId.AsSpan(jobId.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture,
            out var number) ? number : 0;

    private static TimeSpan Positive(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time;

    internal static Manifest Draft(JobSpec job, byte[] graphSha256) => new()
    {
        Step = 0, Generation = 0, Fingerprint = "", Seed = job.Seed, Job = job,
        GraphSha256 = Convert.ToHexStringLower(graphSha256), DataSha256 = "", Optimizer = job.Optimizer.Kind,
        SavedBy = new SavedBy { Host = Environment.MachineName, Build = BuildId.Current },
    };

    private static (StateOrigin Origin, string DataSha256) Fresh(CheckpointStore store)
    {
        if (store.List() is { Count: > 0 } old)
        {
            throw new UserException(ExitCode.Usage,
                $"{store.Root} has checkpoints of an earlier run (newest: step {old[^1].Step}): "
                + "add --resume to go on from it, or take another folder with --state");
        }

        return (StateOrigin.Initial, "");
    }

    /// <summary>
    /// Exactly the inputs that decide the bits must be those of the checkpoint; workers and policies may differ.
    /// </summary>
    private static (StateOrigin Origin, string DataSha256) Resume(CheckpointStore store, Manifest draft)
    {
        if (store.NewestGood() is not { } checkpoint) return NothingGood(store);
        var saved = checkpoint.Manifest;
        var differences = new List<string>();
        if (saved.GraphSha256 != draft.GraphSha256) differences.Add("model (graph SHA-256)");
        if (saved.Seed != draft.Seed) differences.Add($"seed ({saved.Seed}, now {draft.Seed})");
        if (saved.Job.Batch != draft.Job.Batch) differences.Add($"batch ({saved.Job.Batch}, now {draft.Job.Batch})");
        if (saved.Job.Slices != draft.Job.Slices)
            differences.Add($"slices ({saved.Job.Slices}, now {draft.Job.Slices})");
        if (saved.Job.MicroBatches != draft.Job.MicroBatches)
            differences.Add($"micro_batches ({saved.Job.MicroBatches}, now {draft.Job.MicroBatches})");
        if (saved.Job.Blas != draft.Job.Blas) differences.Add($"blas ({saved.Job.Blas}, now {draft.Job.Blas})");
        if (saved.Optimizer != draft.Optimizer)
            differences.Add($"optimizer.kind ({saved.Optimizer}, now {draft.Optimizer})");
        if (differences.Count > 0)
        {
            throw new UserException(ExitCode.BadCheckpoint,
                $"{checkpoint.Path} is of another job: {string.Join(", ", differences)}; resume with the job it was saved by");
        }

        var fingerprint =
            new Fingerprint(ulong.Parse(saved.Fingerprint, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        return (new StateOrigin(new StepNumber(saved.Step), fingerprint, checkpoint.Path), saved.DataSha256);
    }

    // A run that was lost before its first checkpoint begins anew; one whose checkpoints are all damaged does not, in
    // silence.
    private static (StateOrigin Origin, string DataSha256) NothingGood(CheckpointStore store)
    {
        if (store.List() is not { Count: > 0 } damaged) return (StateOrigin.Initial, "");
        throw new UserException(ExitCode.BadCheckpoint,
            $"none of {damaged.Count} checkpoints can be resumed from: {store.Verify(damaged[^1].Path)}");
    }

    internal static ClockTable ClocksOf(CoordinatorOptions options, JobSpec job)
    {
        var clocks = options.Clocks.With(job.Timeouts.BeatMs, job.Timeouts.DeadMs, job.Timeouts.StallMs);
        return clocks.Check() is { } broken ? throw new UserException(ExitCode.BadJob, $"timeouts: {broken}") : clocks;
    }
}
