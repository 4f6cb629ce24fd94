using System.Globalization;
using System.Text;
using System.Text.Json;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;
using Convoy.Shared;
using Convoy.Shared.Random;

namespace Convoy.Cluster.Tests.Jobs;

/// <summary>
/// Two coordinators, one of which stands by, three workers and the endless job. What ends is started again at its
/// address; what ends with an exit code that nothing explains fails the test.
/// </summary>
internal sealed class ChaosCluster : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);
    private static readonly int[] StopMs = [200, 800, 2_000, 4_000, 6_000];
    private static readonly int[] PauseMs = [300, 1_000, 2_000, 4_000];

    private static readonly int[] CoordinatorExits = [137, 0, (int)ExitCode.Cluster];
    private static readonly int[] WorkerExits =
        [137, 0, (int)ExitCode.Cluster, (int)ExitCode.Drained, (int)ExitCode.DrainedByCheckpoint];

    private readonly ClusterFixture _cluster;
    private readonly RandomStream _random;
    private readonly List<string> _addresses = []; // of the coordinators, as the system gave them
    private readonly List<ConvoyProcess> _coordinators = [];
    private readonly List<ConvoyProcess> _workers = [];
    private readonly StringBuilder _story = new();
    private readonly long _began = TimeProvider.System.GetTimestamp();
    private (ConvoyProcess Process, long Since, TimeSpan For)? _stopped;
    private long _drawn;

    private ChaosCluster(ClusterFixture cluster, int seed)
    {
        (_cluster, _random) = (cluster, new RandomStream((ulong)seed, RandomPurpose.TestDouble, 0));
        State = Path.Combine(cluster.Folder, string.Create(CultureInfo.InvariantCulture, $"chaos-{seed}"));
        Tell($"seed {seed}");
    }

    private string State { get; }

    private string Addresses => string.Join(',', _addresses);

    public static async Task<ChaosCluster> StartAsync(ClusterFixture cluster, int seed)
    {
        var chaos = new ChaosCluster(cluster, seed);
        try
        {
            await chaos.StartAsync();
            return chaos;
        }
        catch
        {
            await chaos.DisposeAsync();
            throw;
        }
    }

    private async Task StartAsync()
    {
        _coordinators.Add(Coordinator("127.0.0.1:0"));
        var run = new RunningJob(State, _coordinators[0]);
        await run.UntilAsync("a leader", status => status.Membership == "forming");
        _coordinators.Add(Coordinator("127.0.0.1:0", "--standby"));
        await run.UntilAsync("a standby", _ => EndpointFile.Standbys(State).Count == 1);
        _addresses.AddRange([EndpointFile.TryRead(State)!.Address, EndpointFile.Standbys(State)[0].Address]);
        for (var i = 0; i < 3; i++) _workers.Add(Worker(i));
        int[] every = [1, 7, 100];
        var submit = await ConvoyProcess.RunAsync(_cluster.Folder, "submit", "job.yaml", "--set", EndlessJob.Steps,
            "--set", $"checkpoint.every={every[Draw(every.Length)]}", "--to", Addresses, "--detach");
        Assert.True(submit.Code == 0, submit.ToString());
        await run.UntilAsync("steps", status => status.Step >= 10);
    }

    private ConvoyProcess Coordinator(string address, params string[] more)
    {
        var process = ConvoyProcess.Start(
            _cluster.Folder, ["coordinator", "--listen", address, "--state", State, .. more]);
        Tell($"{process.Pid}: coordinator at {address} {string.Join(' ', more)}");
        return process;
    }

    private ConvoyProcess Worker(int number)
    {
        var process = ConvoyProcess.Start(_cluster.Folder, "worker", "--join", Addresses, "--name", $"w{number}");
        Tell($"{process.Pid}: w{number}");
        return process;
    }

    // ---- What happens to it ----

    /// <summary>One blow, and a pause in which all that ended begins again.</summary>
    public async Task StrikeAsync()
    {
        var (leader, standby) = Roles();
        var worker = _workers[Draw(_workers.Count)];
        var duration = TimeSpan.FromMilliseconds(StopMs[Draw(StopMs.Length)]);
        switch (Draw(10))
        {
            case 0: Kill("the leader", leader); break;
            case 1: Stop("the leader", leader, duration); break;
            case 2: Kill("the standby", standby); break;
            case 3: Stop("the standby", standby, duration); break;
            case 4: Kill("a worker", worker); break;
            case 5: Stop("a worker", worker, duration); break;
            case 6: Kill("all workers", [.. _workers]); break;
            case 7: Kill("all coordinators", [.. _coordinators]); break;
            case 8: Ask(leader); break;
            default: await ScaleAsync(1 + Draw(3)); break;
        }

        await PauseAsync(TimeSpan.FromMilliseconds(PauseMs[Draw(PauseMs.Length)]));
    }

    private int Draw(int below) => (int)(_random.Word(_drawn++) % (uint)below);

    private (ConvoyProcess? Leader, ConvoyProcess? Standby) Roles()
    {
        var leads = EndpointFile.TryRead(State)?.Pid;
        var at = _coordinators.FindIndex(c => c.Pid == leads && !c.HasEnded);
        return at < 0 ? (null, null) : (_coordinators[at], _coordinators[1 - at]);
    }

    private void Kill(string who, params ConvoyProcess?[] processes)
    {
        foreach (var process in processes)
        {
            if (process is null or { HasEnded: true }) continue;
            Tell($"{process.Pid}: kill -9 of {who}");
            process.Kill9();
        }
    }

    private void Stop(string who, ConvoyProcess? process, TimeSpan duration)
    {
        if (_stopped is not null || process is null or { HasEnded: true }) return;
        Tell($"{process.Pid}: SIGSTOP of {who} for {duration.TotalMilliseconds} ms");
        Signal.Stop(process.Pid);
        _stopped = (process, TimeProvider.System.GetTimestamp(), duration);
    }

    /// <summary>A leader that is asked to end hands over to who stands by; without one the job would end.</summary>
    private void Ask(ConvoyProcess? leader)
    {
        var isAlone = EndpointFile.Standbys(State).All(s => s.Pid == leader?.Pid);
        if (leader is null || _stopped is not null || isAlone) return;
        Tell($"{leader.Pid}: SIGTERM of the leader");
        leader.Terminate();
    }

    private async Task ScaleAsync(int workers)
    {
        var scale = await ConvoyProcess.RunAsync(_cluster.Folder, "scale", $"{workers}", "--to", Addresses);
        Tell($"scale {workers}: {scale.Code}"); // it may find no leader in time
    }

    private async Task PauseAsync(TimeSpan length)
    {
        var since = TimeProvider.System.GetTimestamp();
        using var pace = new PeriodicTimer(Pace);
        while (TimeProvider.System.GetElapsedTime(since) < length)
        {
            if (_stopped is { } s && TimeProvider.System.GetElapsedTime(s.Since) >= s.For) Continue();
            Tend();
            await pace.WaitForNextTickAsync();
        }
    }

    private void Continue()
    {
        if (_stopped is not { } stopped) return;
        _stopped = null;
        if (stopped.Process.HasEnded) return;
        Tell($"{stopped.Process.Pid}: SIGCONT");
        Signal.Continue(stopped.Process.Pid);
    }

    private void Tend()
    {
        for (var i = 0; i < _coordinators.Count; i++)
        {
            if (!HasEnded(_coordinators[i], CoordinatorExits)) continue;
            Bury(_coordinators[i]);
            _coordinators[i] = Coordinator(_addresses[i], "--standby");
        }

        for (var i = 0; i < _workers.Count; i++)
        {
            if (!HasEnded(_workers[i], WorkerExits)) continue;
            Bury(_workers[i]);
            _workers[i] = Worker(i);
        }
    }

    private void Bury(ConvoyProcess process)
    {
        if (_stopped?.Process == process) _stopped = null; // killed in its sleep
        process.Dispose();
    }

    private bool HasEnded(ConvoyProcess process, int[] exits)
    {
        if (!process.HasEnded) return false;
        Tell($"{process.Pid}: exit {process.ExitCode}");
        Assert.True(exits.Contains(process.ExitCode), Story(process.Snapshot(process.ExitCode).ToString()));
        return true;
    }

    // ---- Its end ----

    /// <summary>Everybody is there again, the job makes progress and is stopped.</summary>
    public async Task<StatusReport> CalmAndStopAsync()
    {
        Tell("calm");
        Continue();
        var since = await UntilAsync("a generation", s => s.Membership == "stable");
        await UntilAsync("progress", s => s.Membership == "stable" && s.Step > since.Step + 10);
        var stop = await ConvoyProcess.RunAsync(_cluster.Folder, "stop", "--to", Addresses);
        Assert.True(stop.Code == 0, Story(stop.ToString()));
        return await UntilAsync("its end", s => s.Outcome is not null);
    }

    private async Task<StatusReport> UntilAsync(string what, Func<StatusReport, bool> condition)
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        var last = "no coordinator was found";
        while (!deadline.IsCancellationRequested)
        {
            try
            {
                using var client = new ConvoyClient(Addresses);
                var status = await client.StatusAsync(deadline.Token);
                if (condition(status)) return status;
                last = $"{status.State} step {status.Step}, {status.Membership}, {string.Join("; ", status.Reasons)}";
            }
            catch (Exception notYet) when (notYet is UserException or OperationCanceledException)
            {
                last = notYet.Message;
            }

            await PauseAsync(Pace);
        }

        throw new TimeoutException(Story($"waited for {what}; last seen: {last}"));
    }

    public IReadOnlyList<long> Rows() => [.. File.ReadLines(Path.Combine(State, "metrics.jsonl")).Select(line =>
    {
        using var row = JsonDocument.Parse(line);
        return row.RootElement.GetProperty("step").GetInt64();
    })];

    private void Tell(string what) => _story.Append(CultureInfo.InvariantCulture,
        $"{TimeProvider.System.GetElapsedTime(_began).TotalSeconds,8:0.000} {what}\n");

    /// <summary>All that happened, for who reads of a failure.</summary>
    public string Story(string? end) => $"{end}\n{_story}";

    public ValueTask DisposeAsync()
    {
        foreach (var process in _coordinators.Concat(_workers)) process.Dispose();
        return default;
    }
}
