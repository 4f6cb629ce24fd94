using Convoy.Shared;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Tests.Cluster;

// DIST-01, DIST-06, DIST-08, FT-01, FT-02, CKPT-01, CKPT-04: the whole worker with a small model whose bits can be
// computed by hand.
public sealed class WorkerClusterTests
{
    private const long Steps = 9;
    private static string? _reference;

    /// <summary>Weights of an undisturbed run of one worker.</summary>
    private static async Task<string> ReferenceAsync()
    {
        if (_reference is not null) return _reference;
        await using var c = await FakeCoordinator.StartAsync();
        await c.AddWorkersAsync(1);
        c.OpenAll(0, Steps, AlignAction.Initialize);
        return _reference = await c.WeightsAtEndAsync("n1", Steps);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Any_number_of_workers_ends_with_the_same_bits_DIST_01(int workers)
    {
        await using var c = await FakeCoordinator.StartAsync();
        await c.AddWorkersAsync(workers);
        c.OpenAll(0, Steps, AlignAction.Initialize);
        for (var w = 1; w <= workers; w++)
        {
            Assert.Equal(await ReferenceAsync(), await c.WeightsAtEndAsync($"n{w}", Steps));
            // S5: each step once, and the same loss from every member.
            Assert.Equal(Enumerable.Range(1, (int)Steps), c.Rows($"n{w}").Select(r => (int)r.Step));
            Assert.Equal(c.Rows("n1").Select(r => r.LossSum), c.Rows($"n{w}").Select(r => r.LossSum));
        }

        c.Tell("n1", new Release { LeaderToken = 1, ExitCode = 0 });
    }

    [Fact]
    public async Task A_worker_that_vanishes_inside_a_step_costs_that_step_only_FT_01()
    {
        await using var c = await FakeCoordinator.StartAsync();
        using var reached = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        await c.AddWorkerAsync("n1");
        await c.AddWorkerAsync("n2");
        await c.AddWorkerAsync("n3", ToyModel.Opener(step =>
        {
            if (step != 4) return; // step 5 is the short one, without samples for its slices
            reached.Release();
            go.Wait(FakeCoordinator.Deadline); // the others wait for its part
        }));
        c.OpenAll(0, Steps, AlignAction.Initialize);
        Assert.True(await reached.WaitAsync(FakeCoordinator.Deadline), c.Transcript());
        var killed = c.KillAsync("n3");
        // The survivors report the broken links, and where they stand.
        Assert.Equal(3, (await c.HearAsync<Suspect>("n1")).About);
        Assert.Equal(3, (await c.HearAsync<Suspect>("n2")).About);
        var fenced = await c.FenceAsync(FenceKind.Hard, 0, "n1", "n2");
        // What the lost one sent last may have been lost with it.
        Assert.All(fenced.Values, f => Assert.Equal((false, true), (f.HoldsNext, f.RetainsCurrent)));
        Assert.InRange(c.OpenFenced(fenced, Steps), 2, 3);
        Assert.Equal(await ReferenceAsync(), await c.WeightsAtEndAsync("n1", Steps));
        Assert.Equal(await ReferenceAsync(), await c.WeightsAtEndAsync("n2", Steps));
        go.Set();
        await killed;
    }

    [Fact]
    public async Task A_joiner_takes_the_state_from_a_member_DIST_09()
    {
        await using var c = await FakeCoordinator.StartAsync();
        await c.AddWorkersAsync(2);
        c.OpenAll(0, Steps, AlignAction.Initialize);
        await c.HearAsync<StepReport>("n1");
        await c.HearAsync<StepReport>("n2");
        var fenced = await c.FenceAsync(FenceKind.Soft, 3, "n1", "n2");
        await c.AddWorkerAsync("n3");
        var at = c.OpenFenced(fenced, Steps, ("n3", AlignAction.LoadSnapshot, "n2"));
        Assert.InRange(at, 3, Steps);
        var aligned = await c.HearAsync<Aligned>("n3");
        Assert.Equal(fenced.Values.First(f => f.Step == at).Fingerprint, aligned.Fingerprint);
        Assert.Equal(await ReferenceAsync(), await c.WeightsAtEndAsync("n3", Steps));
    }

    [Fact]
    public async Task Who_is_one_step_behind_fetches_the_reduced_chunks()
    {
        await using var c = await FakeCoordinator.StartAsync();
        await c.AddWorkersAsync(2);
        // n1 alone makes step 1; n2 initializes and waits at state 0 in a generation of its own.
        c.Open(0, 1, ("n1", AlignAction.Initialize, ""));
        await c.WeightsAtEndAsync("n1", 1);
        c.Open(0, 0, ("n2", AlignAction.Initialize, ""));
        await c.WeightsAtEndAsync("n2", 0);
        var fenced = await c.FenceAsync(FenceKind.Hard, 0, "n1", "n2");
        Assert.Equal((1L, true), (fenced["n1"].Step, fenced["n1"].RetainsCurrent));
        Assert.Equal(0, fenced["n2"].Step);
        c.Open(1, Steps, ("n1", AlignAction.Keep, ""), ("n2", AlignAction.FetchChunks, "n1"));
        Assert.Equal(fenced["n1"].Fingerprint, (await c.HearAsync<Aligned>("n2", a => a.Step == 1)).Fingerprint);
        Assert.Equal(await ReferenceAsync(), await c.WeightsAtEndAsync("n2", Steps));
    }

    [Fact]
    public async Task A_source_that_has_not_what_is_asked_for_is_named()
    {
        await using var c = await FakeCoordinator.StartAsync();
        await c.AddWorkersAsync(2);
        c.Open(0, 1, ("n1", AlignAction.Initialize, ""));
        await c.WeightsAtEndAsync("n1", 1);
        await c.FenceAsync(FenceKind.Hard, 0, "n1");
        c.Open(2, Steps, ("n1", AlignAction.Keep, ""), ("n2", AlignAction.LoadSnapshot, "n1"));
        Assert.Contains("state here is of step 1", (await c.HearAsync<AlignFailed>("n1")).Text);
        var again = await c.FenceAsync(FenceKind.Hard, 0, "n1", "n2");
        Assert.Equal((1L, -1L), (again["n1"].Step, again["n2"].Step));
        c.Open(1, Steps, ("n1", AlignAction.Keep, ""), ("n2", AlignAction.LoadSnapshot, "n1"));
        Assert.Equal(await ReferenceAsync(), await c.WeightsAtEndAsync("n2", Steps));
    }

    [Fact]
    public async Task CKPT_01_shards_are_written_while_training_goes_on_and_a_checkpoint_resumes_to_the_same_bits()
    {
        await using var c = await FakeCoordinator.StartAsync();
        await c.AddWorkersAsync(3);
        c.OpenAll(0, 4, AlignAction.Initialize);
        for (var w = 1; w <= 3; w++)
        {
            var saved = await c.HearAsync<ShardSaved>($"n{w}");
            Assert.Equal((4L, w - 1, 3), (saved.Step, saved.Index, saved.Count));
            await c.WeightsAtEndAsync($"n{w}", 4);
        }

        TestCheckpoint.Publish(c, 4);
        await using var other = await FakeCoordinator.StartAsync();
        await other.AddWorkersAsync(2);
        Directory.Move(Path.Combine(c.Folder, "published"), Path.Combine(other.Folder, "published"));
        other.OpenAll(4, Steps, AlignAction.LoadCheckpoint);
        Assert.Equal(c.Heard<Aligned>("n1").Count, 1);
        Assert.Equal(await ReferenceAsync(), await other.WeightsAtEndAsync("n1", Steps));
        Assert.Equal(await ReferenceAsync(), await other.WeightsAtEndAsync("n2", Steps));
    }

    [Fact]
    public async Task A_step_with_a_gradient_that_is_not_finite_is_skipped_by_all_and_counted()
    {
        await using var c = await FakeCoordinator.StartAsync();
        await c.AddWorkerAsync("n1", ToyModel.Opener(poisonedStep: 2));
        await c.AddWorkerAsync("n2", ToyModel.Opener(poisonedStep: 2));
        c.OpenAll(0, 4, AlignAction.Initialize);
        Assert.Equal(await c.WeightsAtEndAsync("n1", 4), await c.WeightsAtEndAsync("n2", 4));
        Assert.Equal([false, true, false, false], c.Rows("n1").Select(r => r.Skipped));
    }

    [Fact]
    public async Task Released_workers_end_with_the_code_they_are_given_and_leave_nothing()
    {
        await using var c = await FakeCoordinator.StartAsync();
        var worker = await c.AddWorkerAsync("n1");
        c.OpenAll(0, 1, AlignAction.Initialize);
        await c.WeightsAtEndAsync("n1", 1);
        c.Tell("n1", new Evaluate { LeaderToken = 1, Generation = 1, Step = 1 });
        Assert.Equal(0.7, (await c.HearAsync<Evaluated>("n1")).Metrics["test_accuracy"]);
        c.Tell("n1", new Release { LeaderToken = 1, ExitCode = 0 });
        Assert.Equal(0, await worker.Ended.WaitAsync(FakeCoordinator.Deadline));
    }

    [Fact]
    public async Task A_drain_is_told_and_the_release_carries_its_code_DIST_14()
    {
        await using var c = await FakeCoordinator.StartAsync();
        var worker = await c.AddWorkerAsync("n1");
        _ = worker.ShutDownAsync("asked");
        Assert.InRange((await c.HearAsync<Drain>("n1")).GraceMs, 1, 10_000);
        c.Tell("n1", new Release { LeaderToken = 1, ExitCode = 10 });
        Assert.Equal((int)ExitCode.Drained, await worker.Ended.WaitAsync(FakeCoordinator.Deadline));
    }

    [Fact]
    public async Task A_device_that_throws_ends_its_worker_with_the_cause()
    {
        await using var c = await FakeCoordinator.StartAsync();
        var worker = await c.AddWorkerAsync("n1", ToyModel.Opener(step =>
        {
            if (step == 2) throw new InvalidOperationException("the device is on fire");
        }));
        c.OpenAll(0, 4, AlignAction.Initialize);
        var failed = await c.HearAsync<WorkerFailed>("n1");
        Assert.Contains("on fire", failed.Text);
        Assert.Contains("ToyModel", failed.Detail);
        Assert.Equal((int)ExitCode.Failed, await worker.Ended.WaitAsync(FakeCoordinator.Deadline));
    }

    [Fact]
    public async Task Beats_tell_what_a_worker_waits_for_R1()
    {
        await using var c = await FakeCoordinator.StartAsync();
        using var go = new ManualResetEventSlim();
        await c.AddWorkerAsync("n1");
        await c.AddWorkerAsync("n2", ToyModel.Opener(step => { if (step == 3) go.Wait(FakeCoordinator.Deadline); }));
        c.OpenAll(0, 5, AlignAction.Initialize);
        // On a slow machine a beat may also fall into the wait of an earlier step.
        var beat = await c.HearAsync<Beat>("n1", b => b.Step == 2 && b.Phase == "Reduce" && b.WaitsOn.Count > 0);
        Assert.Equal([2], beat.WaitsOn);
        go.Set();
        await c.WeightsAtEndAsync("n2", 5);
    }
}
