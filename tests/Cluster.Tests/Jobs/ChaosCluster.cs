using System.Globalization;
using System.Text;
using System.Text.Json;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;
using Convoy.Shared;
using Convoy.Shared.Random;
using Convoy.Shared.Security;

namespace Convoy.Cluster.Tests.Jobs;

/// <summary>
/// The coordinators, workers and endless jobs of a <see cref="ChaosWorld"/>. What ends is started again at its
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
    private readonly ChaosWorld _world;
    private readonly RandomStream _random;
    private readonly ChaosDisk? _disk = ChaosDisk.TryOpen();
    private readonly string _folder;
    private readonly List<string> _addresses = []; // of the coordinators, as the system gave them
    private readonly List<ConvoyProcess> _coordinators = [];
    private readonly List<ConvoyProcess> _workers = [];
    private readonly List<(ConvoyProcess Process, long Until)> _stopped = [];
    private readonly StringBuilder _story = new();
    private readonly long _began = TimeProvider.System.GetTimestamp();
    private string _token = "";
    private long _fullUntil;
    private bool _wasFull; // since the last pause in which nothing failed for it
    private long _drawn;
    private CredentialSource? _credentials;

    private ChaosCluster(ClusterFixture cluster, int seed)
    {
        (_cluster, _world) = (cluster, ChaosWorld.Of(seed));
        _random = new RandomStream((ulong)seed, RandomPurpose.TestDouble, 0);
        _folder = Path.Combine(_disk?.Folder ?? cluster.Folder,
            string.Create(CultureInfo.InvariantCulture, $"chaos-{seed}"));
        Tell($"seed {seed}: {_world}");
    }

    public IReadOnlyList<string> Jobs => _world.Jobs;

    private string State => Path.Combine(_folder, "state");

    private string Home => Path.Combine(_folder, "home");

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
        Directory.CreateDirectory(_folder);
        if (_world.Secure) await DoneAsync("init", "--credentials", Home);
        var listen = _world.Everywhere ? "0.0.0.0:0" : "127.0.0.1:0";
        for (var i = 0; i < _world.Coordinators; i++)
        {
            _coordinators.Add(Coordinator(listen, i == 0 ? [] : ["--standby"]));
            await UntilAsync("a coordinator", () => EndpointOf(i) is not null);
            _addresses.Add(EndpointOf(i)!.Address);
        }

        if (_world.Secure)
        {
            string[] create = ["token", "create", "--uses", "64", "--json", "--to", _addresses[0], .. Operator];
            _token = (await DoneAsync(create)).Json.GetProperty("token").GetString()!;
        }

        for (var i = 0; i < _world.Workers; i++) _workers.Add(Worker(i));
        foreach (var job in _world.Jobs)
            await DoneAsync(["submit", "job.yaml", "--set", $"job={job}", "--set", EndlessJob.Steps, "--detach",
                "--to", Addresses, .. ChaosWorld.Arguments(_world.Terms.Concat(_world.Settings)), .. Operator]);
        foreach (var job in _world.Jobs) await UntilAsync(job, "steps", status => status.Step >= 10);
    }

    /// <summary>Of the coordinator with this number; null: it has not said yet where it is.</summary>
    private EndpointFile? EndpointOf(int number) =>
        EndpointFile.Standbys(State).Append(EndpointFile.TryRead(State))
            .FirstOrDefault(e => e?.Pid == _coordinators[number].Pid);

    private string[] Operator => _world.Secure ? ["--tls", "--credentials", Home] : [];

    private async Task<Ended> DoneAsync(params string[] words)
    {
        var ended = await ConvoyProcess.RunAsync(_cluster.Folder, words);
        Assert.True(ended.Code == 0, Story(ended.ToString()));
        return ended;
    }

    private ConvoyProcess Coordinator(string address, params string[] more)
    {
        var process = ConvoyProcess.Start(
            _cluster.Folder, ["coordinator", "--listen", address, "--state", State, .. Operator, .. more]);
        Tell($"{process.Pid}: coordinator at {address} {string.Join(' ', more)}");
        return process;
    }

    private ConvoyProcess Worker(int number)
    {
        string[] secure = _world.Secure
            ? ["--tls", "--credentials", Path.Combine(_folder, $"w{number}"), "--token", _token] : [];
        string[] listen = _world.Everywhere ? ["--listen", "0.0.0.0:0"] : [];
        var process = ConvoyProcess.Start(_cluster.Folder,
            ["worker", "--join", Addresses, "--name", $"w{number}", .. secure, .. listen]);
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
        switch (Draw(_disk is null ? 10 : 11))
        {
            case 0: Kill("the leader", leader); break;
            case 1: Stop("the leader", leader, duration); break;
            case 2: Kill("a standby", standby); break;
            case 3: Stop("a standby", standby, duration); break;
            case 4: Kill("a worker", worker); break;
            case 5: Stop("a worker", worker, duration); break;
            case 6: Kill("all workers", [.. _workers]); break;
            case 7: Kill("all coordinators", [.. _coordinators]); break;
            case 8: Ask(leader); break;
            case 9: await ScaleAsync(1 + Draw(3)); break;
            default: Fill(duration); break;
        }

        await PauseAsync(TimeSpan.FromMilliseconds(PauseMs[Draw(PauseMs.Length)]));
    }

    private int Draw(int below) => (int)(_random.Word(_drawn++) % (uint)below);

    private (ConvoyProcess? Leader, ConvoyProcess? Standby) Roles()
    {
        var leads = EndpointFile.TryRead(State)?.Pid;
        var at = _coordinators.FindIndex(c => c.Pid == leads && !c.HasEnded);
        if (at < 0) return (null, null);
        var other = (at + 1 + Draw(_coordinators.Count - 1)) % _coordinators.Count;
        return (_coordinators[at], _coordinators[other]);
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
        if (process is null or { HasEnded: true } || _stopped.Exists(s => s.Process == process)) return;
        Tell($"{process.Pid}: SIGSTOP of {who} for {duration.TotalMilliseconds} ms");
        Signal.Stop(process.Pid);
        _stopped.Add((process, After(duration)));
    }

    private static long After(TimeSpan duration) =>
        TimeProvider.System.GetTimestamp() + (long)(duration.TotalSeconds * TimeProvider.System.TimestampFrequency);

    /// <summary>A leader that is asked to end hands over to who stands by; without one the job would end.</summary>
    private void Ask(ConvoyProcess? leader)
    {
        var isAlone = EndpointFile.Standbys(State).All(s => s.Pid == leader?.Pid);
        if (leader is null || _stopped.Count > 0 || isAlone || _wasFull) return;
        Tell($"{leader.Pid}: SIGTERM of the leader");
        leader.Terminate();
    }

    private async Task ScaleAsync(int workers)
    {
        var job = _world.Jobs[Draw(_world.Jobs.Count)];
        var scale = await ConvoyProcess.RunAsync(
            _cluster.Folder, ["scale", $"{workers}", "--job", job, "--to", Addresses, .. Operator]);
        Tell($"scale {job} {workers}: {scale.Code}"); // it may find no leader in time
    }

    private void Fill(TimeSpan duration)
    {
        Tell($"the disk is full for {duration.TotalMilliseconds} ms");
        _disk!.Fill();
        (_wasFull, _fullUntil) = (true, After(duration));
    }

    private async Task PauseAsync(TimeSpan length)
    {
        var end = After(length);
        using var pace = new PeriodicTimer(Pace);
        while (TimeProvider.System.GetTimestamp() < end)
        {
            var now = TimeProvider.System.GetTimestamp();
            Continue(now);
            if (_disk is { IsFull: true } && now >= _fullUntil) Clear();
            Tend();
            await pace.WaitForNextTickAsync();
        }
    }

    private void Continue(long now)
    {
        foreach (var (process, until) in _stopped)
        {
            if (until > now || process.HasEnded) continue;
            Tell($"{process.Pid}: SIGCONT");
            Signal.Continue(process.Pid);
        }

        _stopped.RemoveAll(s => s.Until <= now || s.Process.HasEnded);
    }

    private void Clear()
    {
        Tell("the disk has room");
        _disk!.Clear();
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
        _stopped.RemoveAll(s => s.Process == process); // killed in its sleep
        process.Dispose();
    }

    private bool HasEnded(ConvoyProcess process, int[] exits)
    {
        if (!process.HasEnded) return false;
        var end = process.Snapshot(process.ExitCode);
        Tell($"{process.Pid}: exit {end.Code} {(end.Code is 0 or 137 ? "" : end.Error.TrimEnd().Split('\n')[^1])}");
        var isExplained = exits.Contains(end.Code) || (_wasFull && end.Code == (int)ExitCode.Storage);
        Assert.True(isExplained, Story(end.ToString()));
        return true;
    }

    // ---- Its end ----

    /// <summary>Everybody is there again, all jobs make progress and are stopped; their ends in their order.</summary>
    public async Task<IReadOnlyList<StatusReport>> CalmAndStopAsync()
    {
        Tell("calm");
        Continue(long.MaxValue);
        if (_disk is { IsFull: true }) Clear();
        foreach (var job in _world.Jobs)
        {
            var since = await UntilAsync(job, "a generation", s => s.Membership == "stable");
            await UntilAsync(job, "progress", s => s.Membership == "stable" && s.Step > since.Step + 10);
        }

        var ends = new List<StatusReport>();
        foreach (var job in _world.Jobs)
        {
            await DoneAsync(["stop", "--job", job, "--to", Addresses, .. Operator]);
            ends.Add(await UntilAsync(job, "its end", s => s.Outcome is not null));
        }

        return ends;
    }

    private async Task<StatusReport> UntilAsync(string job, string what, Func<StatusReport, bool> condition)
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        var last = "no coordinator was found";
        while (!deadline.IsCancellationRequested)
        {
            try
            {
                using var client = Client();
                client.Job = job;
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

        throw new TimeoutException(Story($"waited for {what} of {job}; last seen: {last}"));
    }

    private async Task UntilAsync(string what, Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        while (!condition())
        {
            if (deadline.IsCancellationRequested) throw new TimeoutException(Story($"waited for {what}"));
            using var pace = new PeriodicTimer(Pace);
            await pace.WaitForNextTickAsync();
        }
    }

    private ConvoyClient Client()
    {
        if (!_world.Secure) return new ConvoyClient(Addresses);
        _credentials ??= new CredentialSource(
            Path.Combine(Home, "operator"), ClusterRole.Operator, TimeProvider.System);
        return new ConvoyClient(Addresses, _credentials);
    }

    /// <summary>Of a job, by its place among <see cref="Jobs"/>; the first one's lie in the state folder.</summary>
    public IReadOnlyList<long> Rows(int job)
    {
        var folder = job == 0 ? State : Path.Combine(State, "jobs", _world.Jobs[job]);
        return [.. File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Select(line =>
        {
            using var row = JsonDocument.Parse(line);
            return row.RootElement.GetProperty("step").GetInt64();
        })];
    }

    /// <summary>The job has the weights of as many steps that nobody disturbed.</summary>
    public Task SameBitsAsync(StatusReport end) =>
        EndlessJob.SameBitsAsync(_cluster, end.Step, end.WeightsSha256,
            ChaosWorld.Arguments(_world.Terms.Append("checkpoint.every=0")));

    private void Tell(string what) => _story.Append(CultureInfo.InvariantCulture,
        $"{TimeProvider.System.GetElapsedTime(_began).TotalSeconds,8:0.000} {what}\n");

    /// <summary>All that happened, for who reads of a failure.</summary>
    public string Story(string? end) => $"{end}\n{_story}";

    /// <summary>All was well: nothing of it need be looked at, and the next one has the room.</summary>
    public async Task ForgetAsync()
    {
        foreach (var process in _coordinators.Concat(_workers))
        {
            process.Kill9();
            await process.EndAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    public ValueTask DisposeAsync()
    {
        foreach (var process in _coordinators.Concat(_workers)) process.Dispose();
        _disk?.Dispose();
        return default;
    }
}
