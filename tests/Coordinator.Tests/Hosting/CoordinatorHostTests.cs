using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Recovery;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Tests.Hosting;

public sealed class CoordinatorHostTests : IDisposable
{
    private readonly string _state = Path.Combine(Path.GetTempPath(), "convoy-host-" + Path.GetRandomFileName());

    private CoordinatorOptions Options => new() { StateDirectory = _state };

    [Fact]
    public async Task One_port_answers_status_health_and_refusals()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        Assert.Equal(host.Address, EndpointFile.Read(_state).Address);
        using var client = ConvoyClient.OfState(_state);
        var status = await client.StatusAsync();
        Assert.Equal(("none", "forming"), (status.State, status.Membership));

        using var http = new HttpClient();
        Assert.Equal("ok\n", await http.GetStringAsync($"http://{host.Address}/healthz"));
        var stop = await Assert.ThrowsAsync<UserException>(() => client.StopAsync(new StopRequest()));
        Assert.Equal((ExitCode.Cluster, "no job runs here: there is nothing to stop"), (stop.Code, stop.Message));
        Assert.Equal(1, (await client.StepsAsync(1)).Next);
    }

    [Fact]
    public async Task A_submitted_job_waits_for_workers_and_says_so()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        using var client = new ConvoyClient(host.Address);
        var reply = await client.SubmitAsync(Request());
        Assert.Equal("digits-1", reply.JobId);
        var status = await client.StatusAsync();
        Assert.Equal("preparing", status.State);
        Assert.Contains(status.Reasons, r => r.Contains("no worker is with this job", StringComparison.Ordinal));
        var second = await Assert.ThrowsAsync<UserException>(() => client.SubmitAsync(Request()));
        Assert.Contains("is here already, as digits-1", second.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_breaks_a_rule_is_refused_in_one_line()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        using var client = new ConvoyClient(host.Address);
        var refused = await Assert.ThrowsAsync<UserException>(() => client.SubmitAsync(Request() with { Graph = [] }));
        Assert.Equal(ExitCode.BadJob, refused.Code);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task A_second_coordinator_on_the_same_folder_is_refused()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        var refused = await Assert.ThrowsAsync<UserException>(() => CoordinatorHost.StartAsync(Options));
        Assert.Equal(ExitCode.Cluster, refused.Code);
        Assert.Contains(host.Address, refused.Message, StringComparison.Ordinal);
        Assert.Equal("none", host.Status.State);
    }

    // FT-05, L7: what was left goes on, each job behind its wall, under the next token.
    [Fact]
    public async Task A_restart_goes_on_with_the_jobs_that_were_left()
    {
        var first = await CoordinatorHost.StartAsync(Options);
        using (var client = new ConvoyClient(first.Address))
        {
            await client.SubmitAsync(Request());
            await client.SubmitAsync(Request("other"));
            await client.SubmitAsync(Request("third"));
            using var third = new ConvoyClient(first.Address) { Job = "third" };
            await third.StopAsync(new StopRequest());
        }

        await first.StopAsync();
        Assert.Null(EndpointFile.TryRead(_state));

        await using var second = await CoordinatorHost.StartAsync(Options);
        using var next = new ConvoyClient(second.Address);
        Assert.Equal(["digits-1", "other-2"], (await next.StatusAsync()).Jobs.Select(j => j.JobId));
        var refused = await Assert.ThrowsAsync<UserException>(
            () => next.SubmitAsync(Request("other") with { Resume = true }));
        Assert.Contains("other-2 goes on here already", refused.Message, StringComparison.Ordinal);
        using var other = new ConvoyClient(second.Address) { Job = "other" };
        await other.StopAsync(new StopRequest());
        Assert.Equal("stopped", (await other.StatusAsync()).Outcome);
        Assert.Equal("other-4", (await next.SubmitAsync(Request("other") with { Resume = true })).JobId);
    }

    // FT-05: one that stood still with the lease just taken finds another leader, and says so in one line.
    [Fact]
    public async Task A_lease_that_is_lost_while_a_coordinator_begins_to_lead_is_explained()
    {
        using var journal = SqliteJournal.Open(Path.Combine(_state, "journal.db"));
        var life = TimeSpan.FromMinutes(1);
        var before = new ControlJournal(journal, journal.TryAcquire("before", life).Lease!);
        // The first word of its log is about a job that cannot be gone on with.
        before.Append("digits-1", new JobSubmitted("digits-1", "{", "aa", StepNumber.Zero, null, [1]));
        before.HandOver();
        var thief = new OnFirstLine(() => Assert.NotNull(journal.TryAcquire("another", life, _ => true).Lease));

        var lost = await Assert.ThrowsAsync<UserException>(
            () => CoordinatorHost.StartAsync(Options with { Log = thief }));
        Assert.Equal((ExitCode.Cluster, "the lease of k2 is lost: another coordinator leads; start it again with "
            + "--standby and it stands by"), (lost.Code, lost.Message));
    }

    private sealed class OnFirstLine(Action act) : ILogSink
    {
        private Action? _act = act;

        public void Write(LogLevel level, string source, string text, Exception? exception = null) =>
            Interlocked.Exchange(ref _act, null)?.Invoke();
    }

    // A launcher's job is submitted by the launcher.
    [Fact]
    public async Task A_coordinator_of_a_single_job_waits_for_it_to_be_submitted_again()
    {
        var options = Options with { SingleJob = true };
        var first = await CoordinatorHost.StartAsync(options);
        using (var client = new ConvoyClient(first.Address)) await client.SubmitAsync(Request());
        await first.StopAsync();
        await using var second = await CoordinatorHost.StartAsync(options);
        using var next = new ConvoyClient(second.Address);
        Assert.Equal("digits-2", (await next.SubmitAsync(Request() with { Resume = true })).JobId);
    }

    // L6, R11: a command that cannot be written is not promised, and this coordinator ends with the reason.
    [Fact]
    public async Task A_folder_that_vanishes_ends_the_coordinator_with_its_name()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "an open file cannot be deleted there");
        await using var host = await CoordinatorHost.StartAsync(Options);
        using var client = new ConvoyClient(host.Address);
        await client.SubmitAsync(Request());
        Directory.Delete(_state, recursive: true);
        var refused = await Assert.ThrowsAsync<UserException>(() => client.StopAsync(new StopRequest()));
        Assert.Contains("cannot write its journal", refused.Message, StringComparison.Ordinal);
        var cause = Assert.IsType<UserException>(await host.WhenFailed);
        Assert.Equal(ExitCode.Storage, cause.Code);
        Assert.StartsWith(Path.Combine(_state, "journal.db"), cause.Message, StringComparison.Ordinal);
        Assert.Null(host.Status.Outcome); // the job is not over: whoever finds its journal goes on with it
    }

    // R11: what breaks while a job is taken is the answer, at once.
    [Fact]
    public async Task A_job_whose_rows_cannot_be_written_is_refused_with_the_file()
    {
        await using var host = await CoordinatorHost.StartAsync(Options with { SingleJob = true });
        Directory.CreateDirectory(Path.Combine(_state, "metrics.jsonl.new")); // where its rows are to be written
        using var client = new ConvoyClient(host.Address);
        var refused = await Assert.ThrowsAsync<UserException>(() => client.SubmitAsync(Request()));
        Assert.Equal(ExitCode.Storage, refused.Code);
        Assert.StartsWith(Path.Combine(_state, "metrics.jsonl"), refused.Message, StringComparison.Ordinal);
        Assert.Equal("failed", host.Status.Outcome);
    }

    // R11: seen with real coordinators that began to lead on a full disk.
    [Fact]
    public async Task A_coordinator_that_cannot_write_rows_leads_no_more_and_says_which_file()
    {
        Directory.CreateDirectory(Path.Combine(_state, "metrics.jsonl.new"));
        var fault = await Assert.ThrowsAsync<UserException>(() => CoordinatorHost.StartAsync(Options));
        Assert.Equal(ExitCode.Storage, fault.Code);
        Assert.StartsWith(Path.Combine(_state, "metrics.jsonl"), fault.Message, StringComparison.Ordinal);
    }

    // L6: a submission that is asked again with its number is the same job, running or not.
    [Fact]
    public async Task A_submission_that_is_asked_again_has_one_effect()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        using var http = new HttpClient();
        async Task<string> PostAsync() => await (await http.PostAsync($"http://{host.Address}/api/jobs",
            new ByteArrayContent(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
                Request() with { Command = "c1" }, ApiJson.Options)))).Content.ReadAsStringAsync();
        var first = await PostAsync();
        Assert.Contains("digits-1", first, StringComparison.Ordinal);
        Assert.Equal(first, await PostAsync());
    }

    // L6: whoever did not hear the answer asks again, the next leader perhaps, when the job is over.
    [Fact]
    public async Task A_stop_that_is_asked_again_is_answered_as_the_first_time()
    {
        using var http = new HttpClient();
        var first = await CoordinatorHost.StartAsync(Options);
        async Task<string> StopAsync(CoordinatorHost at, string? job) => await (await http.PostAsync(
            $"http://{at.Address}/api/stop", new ByteArrayContent(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
                new StopRequest { Command = "c2", Job = job }, ApiJson.Options)))).Content.ReadAsStringAsync();
        using (var client = new ConvoyClient(first.Address)) await client.SubmitAsync(Request());
        var answer = await StopAsync(first, null);
        Assert.Contains("digits-1 saves at the next step", answer, StringComparison.Ordinal);
        Assert.Equal(answer, await StopAsync(first, null));
        await first.StopAsync();
        await using var second = await CoordinatorHost.StartAsync(Options);
        Assert.Equal(answer, await StopAsync(second, null));
        Assert.Equal(answer, await StopAsync(second, "digits"));
        using var other = new ConvoyClient(second.Address);
        await Assert.ThrowsAsync<UserException>(() => other.StopAsync(new StopRequest { Reason = "without its number" }));
    }

    // An ordinary end after a job leaves no error in the log.
    [Fact]
    public async Task A_coordinator_without_a_job_ends_without_a_word_of_a_failed_save()
    {
        var log = new Lines();
        var host = await CoordinatorHost.StartAsync(Options with { Log = log });
        await host.ShutDownAsync("over");
        Assert.DoesNotContain(log.All, l => l.Contains("save failed", StringComparison.Ordinal));
    }

    private sealed class Lines : Shared.Diagnostics.ILogSink
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> All { get; } = new();

        public void Write(Shared.Diagnostics.LogLevel level, string source, string text, Exception? exception = null) =>
            All.Enqueue(text);
    }

    // FT-05: the file of a standby that was killed does not count, and whoever leads next removes it.
    [Fact]
    public async Task A_standby_that_is_gone_leaves_nothing_behind()
    {
        Directory.CreateDirectory(_state);
        var (me, now) = (Environment.ProcessId, TimeProvider.System.GetUtcNow());
        EndpointFile Standby(int pid, DateTimeOffset started, string? host = null) => new()
        {
            Address = $"127.0.0.1:{pid}", Pid = pid, Started = started, Host = host ?? Environment.MachineName,
        };
        var there = Standby(me, now);
        there.Write(_state, standby: true);
        Standby(int.MaxValue, now).Write(_state, standby: true); // no such process
        Standby(int.MaxValue - 1, now, "another-machine").Write(_state, standby: true);
        Assert.Equal([me, int.MaxValue - 1], EndpointFile.Standbys(_state).Select(e => e.Pid).Order());
        await using (var host = await CoordinatorHost.StartAsync(Options))
        {
            Assert.Equal(2, Directory.GetFiles(_state, "standby-*.json").Length);
            Assert.NotNull(host.Heir);
            await host.StopAsync();
        }

        // Its number belongs to a process that began later.
        (there with { Started = now.AddDays(-1_000) }).Write(_state, standby: true);
        Assert.Equal([int.MaxValue - 1], EndpointFile.Standbys(_state).Select(e => e.Pid));
    }

    [Fact]
    public async Task Nobody_there_is_one_line_with_the_address()
    {
        using var client = new ConvoyClient("127.0.0.1:1");
        var refused = await Assert.ThrowsAsync<UserException>(() => client.StatusAsync());
        Assert.Equal(ExitCode.Cluster, refused.Code);
        Assert.Contains("127.0.0.1:1", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (Directory.Exists(_state)) Directory.Delete(_state, recursive: true);
    }

    private static SubmitRequest Request(string job = "digits") => new()
    {
        Graph = [1, 2, 3],
        Job = new JobSpec
        {
            Job = job, Epochs = 1, Model = new ModelSpec { Family = "mlp", Layers = [64, 10] },
            Data = new DataSpec { Format = "csv", Path = ["/data/digits.csv"] },
        },
    };
}
