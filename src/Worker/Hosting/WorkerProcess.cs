using System.Buffers.Binary;
using System.Security.Cryptography;
using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Security;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Security;
using Convoy.Worker.Node;
using Convoy.Worker.Training;

namespace Convoy.Worker.Hosting;

/// <summary>
/// One worker: its actors and its links, from the first dial to the last goodbye. Several may share a process. It ends
/// by
/// <see cref="CoordinatedShutdown"/>: the node drains (the coordinator deals its slices to others, within the grace),
/// the links say goodbye, the actors end.
/// </summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan ShutdownMax = TimeSpan.FromSeconds(2);
    private readonly TaskCompletionSource<(int Code, string Line)> _ended =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WorkerOptions _options;
    private readonly RollingFileLog? _file;
    private readonly ActorSystem _system;
    private readonly IActorRef _node;
    private readonly Action<string> _say;
    private readonly CoordinatedShutdown _shutdown;
    private readonly ILogSink _log;
    private Remoting? _remoting;

    private WorkerProcess(WorkerOptions options, OpenModel open, Incarnation incarnation, BulkRouter bulk)
    {
        _options = options;
        _say = options.Say ?? (line => Console.Error.WriteLine($"worker {options.Name}: {line}"));
        var recent = new RecentLines();
        if (options.LogDirectory is { } folder)
            _file = new RollingFileLog(Path.Combine(folder, options.Name + ".log"), options.TimeProvider);
        ILogSink log = _log = _file is null ? recent : new TeeLog(recent, _file);
        _system = ActorSystem.Create("worker", new ActorSystemOptions { Time = options.TimeProvider, LogSink = log });
        _node = _system.ActorOf(Props.Create(() => new NodeActor(new NodeOptions
        {
            Worker = options, Incarnation = incarnation, Open = open, Bulk = bulk, Say = _say,
            Recent = recent, Log = log, FeedFolder = FeedFolder(options),
            Clocks = options.Clocks, Exit = (code, line) => _ended.TrySetResult((code, line)),
        })), "node");
        _shutdown = CoordinatedShutdown.Get(_system);
        PlanTheEnd();
    }

    // Beside the log a worker of the same name finds and clears what one that was killed left behind.
    private static string FeedFolder(WorkerOptions options) => options.LogDirectory is { } logs
        ? Path.Combine(Path.GetFullPath(logs), $"{options.Name}-feed")
        : Path.Combine(Path.GetTempPath(), $"convoy-{Environment.ProcessId}-{options.Name}-feed");

    private void PlanTheEnd()
    {
        // The node keeps the grace itself and says 12 when it is over; a node that does not even do that is left
        // behind.
        _shutdown.SetDeadline(CoordinatedShutdown.PhaseDrain, _options.Grace + TimeSpan.FromSeconds(1));
        // A device in the middle of a long kernel ends with the process; the exit does not wait for it (G2).
        _shutdown.SetDeadline(CoordinatedShutdown.PhaseTerminateActors, ShutdownMax);
        _shutdown.AddTask(CoordinatedShutdown.PhaseDrain, "node", () =>
        {
            if (!_ended.Task.IsCompleted) _node.Tell(new DrainAsked(), ActorRefs.NoSender);
            return _ended.Task;
        });
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseLanes, "links", async () =>
        {
            if (_remoting is not null) await _remoting.DisposeAsync();
        });
    }

    /// <summary>The exit code, once the node has decided to end.</summary>
    public Task<int> Ended => _ended.Task.ContinueWith(
        t => t.Result.Code, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    public static async Task<WorkerProcess> StartAsync(WorkerOptions options, OpenModel open)
    {
        var incarnation = new Incarnation(BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)));
        var bulk = new BulkRouter();
        var process = new WorkerProcess(options, open, incarnation, bulk);
        try
        {
            process._remoting = await Remoting.StartAsync(process._system, new RemotingOptions
            {
                NodeName = options.Name, Incarnation = incarnation, Listen = options.Listen,
                Advertise = options.Advertise, Time = options.TimeProvider,
                Clocks = options.Clocks, BuildId = BuildId.Current, Security = SecurityOf(options),
            }, process._node, bulk);
        }
        catch
        {
            // The address cannot be used: the caller tells the user, nothing stays behind.
            await process.DisposeAsync();
            throw;
        }

        process._node.Tell(new StartNode(process._remoting), ActorRefs.NoSender);
        return process;
    }

    // Only the coordinator's address must show a coordinator's certificate, and only from there is the node told
    // anything.
    private static LinkSecurity? SecurityOf(WorkerOptions options) =>
        options.Credentials is null ? null : new LinkSecurity
        {
            Credentials = options.Credentials, Admits = [ClusterRole.Worker], CoordinatorOnly = ["node"],
            Expects = address => address == options.Join ? ClusterRole.Coordinator : ClusterRole.Worker,
        };

    /// <summary>SIGTERM, or what means the same: drains, and ends in good order.</summary>
    public Task ShutDownAsync(string reason) => _shutdown.Run(reason);

    /// <summary>The second SIGTERM: the cluster sees a crash of somebody who had said goodbye.</summary>
    public void EndAtOnce(string reason, int exitCode)
    {
        _log.Write(LogLevel.Warning, "shutdown", $"at once: {reason}");
        Environment.Exit(exitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (_ended.Task.IsCompletedSuccessfully) _say(_ended.Task.Result is (0, _) ? "done" : _ended.Task.Result.Line);
        await (_ended.Task.IsCompleted ? _shutdown.Run("the node has ended") : _shutdown.RunAtOnce("it cannot go on"));
        _file?.Dispose();
    }
}
