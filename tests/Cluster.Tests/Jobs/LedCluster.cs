using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;
using Microsoft.Data.Sqlite;

namespace Convoy.Cluster.Tests.Jobs;

/// <summary>
/// A coordinator that leads, one that stands by, and workers, each a process of its own. Ends them all with the test.
/// </summary>
internal sealed class LedCluster : IDisposable
{
    private readonly ClusterFixture _cluster;
    private readonly List<ConvoyProcess> _workers = [];

    private LedCluster(ClusterFixture cluster, string name)
    {
        (_cluster, State) = (cluster, Path.Combine(cluster.Folder, name));
        Leader = Coordinator(cluster, State);
        Run = new RunningJob(State, Leader);
    }

    public string State { get; }

    public ConvoyProcess Leader { get; }

    public ConvoyProcess Standby { get; private set; } = null!;

    public RunningJob Run { get; }

    /// <summary>Where the leader is found, and where its standby.</summary>
    public (string Leader, string Standby) At { get; private set; }

    public string Addresses => $"{At.Leader},{At.Standby}";

    public IReadOnlyList<ConvoyProcess> Workers => _workers;

    /// <param name="cluster">Where the job lies.</param>
    /// <param name="name">Of the state folder.</param>
    /// <param name="workers">How many.</param>
    /// <param name="knowBoth">Workers are told of the standby when they start; else they hear of it.</param>
    public static async Task<LedCluster> StartAsync(
        ClusterFixture cluster, string name, int workers, bool knowBoth)
    {
        var led = new LedCluster(cluster, name);
        try
        {
            await led.Run.UntilAsync("a leader", status => status.Membership == "forming");
            led.Standby = Coordinator(cluster, led.State, "--standby");
            await led.Run.UntilAsync("a standby", _ => EndpointFile.Standbys(led.State).Count == 1);
            led.At = (EndpointFile.TryRead(led.State)!.Address, EndpointFile.Standbys(led.State)[0].Address);
            for (var i = 0; i < workers; i++)
                led._workers.Add(ConvoyProcess.Start(cluster.Folder, "worker", "--join",
                    knowBoth ? led.Addresses : led.At.Leader, "--name", $"w{i}"));
            await led.Run.UntilAsync("all workers", status => status.Workers.Count == workers);
            return led;
        }
        catch
        {
            led.Dispose();
            throw;
        }
    }

    public static ConvoyProcess Coordinator(ClusterFixture cluster, string state, params string[] more) =>
        ConvoyProcess.Start(cluster.Folder,
            ["coordinator", "--listen", "127.0.0.1:0", "--state", state, .. more]);

    /// <summary>`convoy submit` of the endless job, with its end.</summary>
    public ConvoyProcess Submit(string to, params string[] more) => ConvoyProcess.Start(
        _cluster.Folder, ["submit", "job.yaml", "--set", EndlessJob.Steps, "--to", to, "--json", .. more]);

    /// <summary>SIGSTOP, at a moment when it does or does not hold the journal's lock.</summary>
    public async Task StopLeaderAsync(bool whileItWrites)
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        using var journal = new SqliteConnection(
            $"Data Source={Path.Combine(State, "journal.db")};Pooling=False;Mode=ReadWrite");
        journal.Open();
        while (true)
        {
            Signal.Stop(Leader.Pid);
            while (!Signal.IsStopped(Leader.Pid)) await pace.WaitForNextTickAsync(deadline.Token);
            if (IsLocked(journal) == whileItWrites) return;
            Signal.Continue(Leader.Pid);
            await pace.WaitForNextTickAsync(deadline.Token);
        }
    }

    /// <summary>The lock of who writes, held by this process until it is disposed of.</summary>
    public IDisposable LockJournal()
    {
        var journal = new SqliteConnection(
            $"Data Source={Path.Combine(State, "journal.db")};Pooling=False;Mode=ReadWrite");
        journal.Open();
        Assert.Equal(0, SQLitePCL.raw.sqlite3_exec(journal.Handle, "BEGIN IMMEDIATE"));
        return journal;
    }

    public async Task StandbySaysAsync(string text)
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!StandbyLog().Contains(text, StringComparison.Ordinal)) await pace.WaitForNextTickAsync(deadline.Token);
    }

    private static bool IsLocked(SqliteConnection journal)
    {
        var busy = SQLitePCL.raw.sqlite3_exec(journal.Handle, "BEGIN IMMEDIATE");
        if (busy == 0) Assert.Equal(0, SQLitePCL.raw.sqlite3_exec(journal.Handle, "ROLLBACK"));
        return busy != 0;
    }

    public Task<StatusReport> TwoMembersAsync() => Run.UntilAsync("two members",
        status => status.Step >= 10 && status.Membership == "stable" && Joining.Members(status) == 2);

    /// <summary>The workers have heard where a coordinator stands by.</summary>
    public async Task WorkersKnowStandbyAsync()
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        foreach (var worker in _workers)
            while (!worker.Snapshot(-1).Error.Contains(At.Standby, StringComparison.Ordinal))
                await pace.WaitForNextTickAsync(deadline.Token);
    }

    /// <summary>The standby leads, and the job trains on in the generation that it was in.</summary>
    public async Task<StatusReport> StandbyLeadsAsync(StatusReport before)
    {
        var after = await Run.UntilAsync("the standby to lead", status => status.Membership == "stable"
            && EndpointFile.TryRead(State)!.Pid == Standby.Pid && status.Step > before.Step + 10);
        SameGeneration(before, after);
        return after;
    }

    /// <summary>What it has logged until now; it goes on to write.</summary>
    public string StandbyLog()
    {
        var path = Path.Combine(State, "logs", $"coordinator-{Standby.Pid}.log");
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }

    // A starved machine may silence a worker for longer than the deadlines: that loss would be the worker's.
    public static void SameGeneration(StatusReport before, StatusReport after)
    {
        if (!after.Events.Any(e => e.Contains("lost w", StringComparison.Ordinal)))
            Assert.Equal(before.Generation, after.Generation);
        Assert.Equal(before.JobId, after.JobId);
    }

    /// <summary>`convoy stop`; the submission ends well, with the bits of a calm run.</summary>
    public async Task<Ended> StopAsync(ConvoyProcess submit)
    {
        Assert.Equal(0, (await ConvoyProcess.RunAsync(_cluster.Folder, "stop", "--state", State)).Code);
        var ended = await submit.EndAsync();
        Assert.True(ended.Code == 0, ended.ToString());
        await EndlessJob.SameBitsAsync(_cluster, ended);
        return ended;
    }

    public void Dispose()
    {
        foreach (var worker in _workers) worker.Dispose();
        Standby?.Dispose();
        Leader.Dispose();
    }
}
