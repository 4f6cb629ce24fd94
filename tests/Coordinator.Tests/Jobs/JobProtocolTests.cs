using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Coordinator.Tests.Jobs;

// R1, R3, R16, R20, R25: a job from its start to its end.
public sealed class JobProtocolTests
{
    private readonly JobOutbox _outbox = new();
    private readonly JobProtocol _protocol;
    private readonly List<JobEffect> _effects = [];
    private Instant _now = new(1);

    public JobProtocolTests() => _protocol = New();

    private static JobProtocol New(long? until = null, StateOrigin? origin = null) => new(new JobDescription
    {
        JobId = "digits-1", Graph = [1], GraphSha256 = [2], CheckpointRoot = "/c", UntilStep = until,
        Origin = origin ?? StateOrigin.Initial, LastRow = origin?.Step ?? StepNumber.Zero,
        Job = new JobSpec { Job = "digits", Batch = 10, Epochs = 2, Slices = 4 },
    });

    private static WorkerAdmitted Worker(int n) => new(new WorkerId(n), new Incarnation((ulong)n), $"worker-{n}");

    private void Begin(params int[] workers)
    {
        _protocol.Begin([.. workers.Select(Worker)], _now, _outbox);
        _effects.AddRange(_outbox.Drain());
    }

    private void Say(int worker, IMessage message) =>
        Feed(new WorkerSaid(new WorkerId(worker), new Incarnation((ulong)worker), message));

    private void Feed(JobInput input)
    {
        _protocol.Step(input, _now, _outbox);
        _effects.AddRange(_outbox.Drain());
    }

    private void Tick(TimeSpan later)
    {
        _now += later;
        _protocol.Tick(_now, _outbox);
        _effects.AddRange(_outbox.Drain());
    }

    private void Ready(int worker, long samples = 45, byte data = 9, ulong h0 = 5, long test = 0) =>
        Say(worker, new Ready
        {
            JobId = "digits-1", Samples = samples, TestSamples = test,
            DataSha256 = ByteString.CopyFrom([data, 1, 2, 3, 4, 5]), InitialFingerprint = h0,
        });

    private void Generation(long g, long start, long until, params int[] members)
    {
        var ids = members.Select(m => new WorkerId(m)).ToList();
        var cuts = Enumerable.Range(0, members.Length + 1).Select(i => i * 4 / members.Length).ToList();
        Feed(new MembershipSaid(new GenerationBegan(
            new Generation(g), new ShareMap(4, ids, cuts), new StepNumber(start), new StepNumber(until), false)));
        Feed(new MembershipSaid(new GenerationIsStable(new Generation(g), ids)));
    }

    private void Rows(int worker, long from, long to)
    {
        var report = new StepReport { Generation = 1 };
        for (var t = from; t <= to; t++)
            report.Rows.Add(new StepRow
            {
                Step = t, LossSum = 20, Weight = 10, Samples = 10, TotalUs = 1_000,
                SyncUs = 250, Fingerprint = (ulong)t
            });
        Say(worker, report);
    }

    private void End(int worker, long step, byte sha = 1, long g = 1) =>
        Say(worker, new ReachedEnd { Generation = g, Step = step, WeightsSha256 = ByteString.CopyFrom(sha) });

    private List<T> All<T>() where T : JobEffect => [.. _effects.OfType<T>()];

    private List<T> Told<T>() where T : MembershipInput => [.. All<TellMembership>().Select(e => e.Input).OfType<T>()];

    private static StepReport Report(long generation, long from, long to)
    {
        var report = new StepReport { Generation = generation };
        for (var t = from; t <= to; t++) report.Rows.Add(new StepRow { Step = t, LossSum = 20, Weight = 10 });
        return report;
    }

    // S5, 4.5 row 9: what orphans trained and saved.
    [Theory]
    [InlineData(4, 3, "5 6 7 8", 0)] // reported twice, or after the state: once, and not
    [InlineData(4, 6, "6 7 8", 1)]
    [InlineData(8, 3, "", 0)]
    public void Rows_that_were_saved_with_the_state_follow_the_durable_ones(
        long durable, long first, string taken, int missing)
    {
        var protocol = new JobProtocol(new JobDescription
        {
            JobId = "digits-1", Graph = [1], GraphSha256 = [2], CheckpointRoot = "/c",
            Origin = new StateOrigin(new StepNumber(8), new Fingerprint(5), "/c/step-00000008"),
            LastRow = new StepNumber(8), Job = new JobSpec { Job = "digits", Batch = 10, Epochs = 2, Slices = 4 },
            Rows = new SavedRows(3, 45, [Report(2, first, 7), Report(3, 7, 9)]),
        });
        protocol.TakeSavedRows(new StepNumber(durable), _outbox);
        var effects = _outbox.Drain();
        var rows = effects.OfType<AppendRow>().Select(e => e.Row).ToList();
        Assert.Equal(taken, string.Join(' ', rows.Select(r => r.Step)));
        Assert.All(rows, r => Assert.Equal((3, 2.0, r.Step / 5.0), (r.Workers, r.Loss, r.Epoch)));
        Assert.All(rows, r => Assert.Equal(r.Step > 7 ? 3 : 2, r.Generation));
        Assert.Equal(rows.LastOrDefault(), protocol.LastRow);
        Assert.Equal(missing, effects.OfType<JobNote>().Count(n => n.Warning));
    }

    // FT-05, S5: all that was done while nobody led may come before the row that was lost with the leader before.
    [Fact]
    public void A_row_that_a_new_leader_hears_of_late_keeps_its_place_before_any_number_of_others()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2);
        Generation(1, start: 0, until: 200_000, 1, 2);
        Rows(1, 1, 3);
        for (var at = 5; at < 100_005; at += 500) Rows(1, at, at + 499);
        Tick(TimeSpan.FromSeconds(29));
        Assert.Equal([1, 2, 3], All<AppendRow>().Select(e => e.Row.Step));
        Rows(2, 4, 4);
        Assert.Equal(Enumerable.Range(1, 100_004).Select(s => (long)s), All<AppendRow>().Select(e => e.Row.Step));
        Assert.DoesNotContain(All<JobNote>(), n => n.Text.Contains("no row", StringComparison.Ordinal));
    }

    [Fact]
    public void A_row_that_nobody_knows_any_more_is_waited_for_and_its_loss_is_said()
    {
        Begin(1);
        Ready(1);
        Generation(1, start: 0, until: 100, 1);
        Rows(1, 1, 3);
        Rows(1, 5, 6);
        Rows(1, 9, 9);
        Tick(TimeSpan.FromSeconds(30));
        Assert.Equal([1, 2, 3, 5, 6], All<AppendRow>().Select(e => e.Row.Step));
        Assert.Equal(["1 steps up to 4 have no row: who knew them is gone"],
            All<JobNote>().Where(n => n.Text.Contains("no row", StringComparison.Ordinal)).Select(n => n.Text));
        Rows(1, 10, 10);
        Tick(TimeSpan.FromSeconds(30));
        Assert.Equal([1, 2, 3, 5, 6, 9, 10], All<AppendRow>().Select(e => e.Row.Step));
    }

    // Without them: rows after the start are not held back for ever by those that will not come.
    [Fact]
    public void A_generation_of_states_that_nobody_has_rows_of_goes_on_with_its_own()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2);
        Generation(1, start: 4, until: 10, 1, 2);
        Rows(1, 5, 6);
        Assert.Empty(All<AppendRow>());
        Tick(TimeSpan.FromSeconds(2));
        Assert.Equal([5, 6], All<AppendRow>().Select(e => e.Row.Step));
        Assert.Contains(All<JobNote>(),
            n => n.Warning && n.Text.StartsWith("4 steps up to 4", StringComparison.Ordinal));
    }

    // A member below others in a tree answers through them, and tells its rows itself: they may come later.
    [Fact]
    public void S5_rows_that_come_behind_the_word_that_all_have_the_state_are_taken()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2);
        Generation(1, start: 4, until: 10, 1, 2);
        Rows(2, 1, 4);
        Rows(1, 5, 6);
        Tick(TimeSpan.FromSeconds(2));
        Assert.Equal([1, 2, 3, 4, 5, 6], All<AppendRow>().Select(e => e.Row.Step));
        Assert.DoesNotContain(All<JobNote>(), n => n.Text.Contains("no row", StringComparison.Ordinal));
    }

    // FT-01: a worker of another job, whose generation has the same number. Its row would contradict this job's.
    [Fact]
    public void What_a_worker_says_that_is_not_with_the_job_is_not_of_it()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2);
        Generation(1, start: 0, until: 10, 1);
        Rows(1, 1, 1);
        Feed(new MembershipSaid(new WorkerLost(new WorkerId(2), "w2", "it holds another job", WasMember: false,
            Charged: false)));
        Say(2, new StepReport { Generation = 1, Rows = { new StepRow { Step = 1, Weight = 1, Fingerprint = 99 } } });
        Assert.False(_protocol.IsOver);
        var shard = new ShardSaved { Generation = 1, Step = 1 };
        Assert.False(_protocol.TakesShard(new WorkerSaid(new WorkerId(2), new Incarnation(2), shard), 1));
        Assert.True(_protocol.TakesShard(new WorkerSaid(new WorkerId(1), new Incarnation(1), shard), 1));
        Assert.Equal(0, _protocol.Failures);
    }

    [Fact]
    public void A_job_runs_to_its_end()
    {
        Begin(1, 2);
        Assert.Equal(2, All<TellWorker>().Count(e => e.Message is Assign));
        Ready(1, test: 3);
        Ready(2, test: 3);
        var terms = Assert.Single(Told<JobStarted>()).Terms;
        Assert.Equal((10, 4), (terms.Until.Value, terms.Slices));   // 2 epochs of 5 steps
        Assert.Equal(2, Told<WorkerPrepared>().Count);

        Generation(1, 0, 10, 1, 2);
        Rows(1, 1, 6);
        Rows(2, 1, 10);
        Assert.Equal(10, All<AppendRow>().Count);
        Assert.Equal((2.0, 0.25), (_protocol.LastRow!.Loss, _protocol.SyncShare!.Value));
        End(1, 10);
        End(2, 10);
        Assert.Equal(JobStatus.Ending, _protocol.Status);
        Feed(new StateSaved(new StepNumber(10), new Fingerprint(10), "/c/step-10"));
        Assert.Equal(JobStatus.Evaluating, _protocol.Status);
        Assert.IsType<Evaluate>(All<TellWorker>()[^1].Message);
        Assert.Equal(1, All<TellWorker>()[^1].Worker.Value);

        var evaluated = new Evaluated { Generation = 1, Step = 10 };
        evaluated.Metrics.Add("test_accuracy", 0.97);
        Say(1, evaluated);
        Assert.Equal(("finished", 0.97), (_protocol.Outcome, _protocol.Metrics["test_accuracy"]));
        Assert.Equal(0, Assert.Single(Told<JobEnded>()).ExitCode);
        // JB-2: journaled before anyone is told.
        var over = _effects.FindIndex(e => e is PersistJob { Event: JobOver });
        Assert.True(over < _effects.FindIndex(e => e is TellMembership { Input: JobEnded }));
    }

    private List<(int Worker, bool On)> Profiles() =>
        [.. All<TellWorker>().Where(e => e.Message is Profile).Select(e => (e.Worker.Value, ((Profile)e.Message).On))];

    // MON-07: on for who is there and who comes, summed up over workers, off for whoever still measures.
    [Fact]
    public void MON07_operators_are_timed_from_one_word_to_the_next()
    {
        static Profiled Times(long step, double ms) => new()
        {
            Step = step, Runs = 2,
            Operators =
            {
                new OperatorTime
                { Operator = "linear", Calls = 4, TotalMs = ms, MinMs = 1, MaxMs = 5, Flops = 6_000_000 },
                new OperatorTime
                { Operator = "relu", Calls = 2, TotalMs = 1, MinMs = ms, MaxMs = ms, Bytes = 4_000_000 },
            },
        };
        Begin(1);
        Ready(1);
        Generation(1, 0, 10, 1);
        Assert.Null(_protocol.Profile);
        Say(1, Times(1, 3)); // asked for by a leader before this one
        Assert.Equal([(1, false)], Profiles());
        Assert.Null(_protocol.Profile);

        Feed(new ProfileAsked(true));
        Feed(new MembershipSaid(Worker(2)));
        Assert.Equal([(1, false), (1, true), (2, true)], Profiles());
        Say(1, Times(2, 3));
        Say(1, Times(3, 6)); // it has all since the word
        Say(2, Times(4, 5));
        var view = _protocol.Profile!;
        Assert.Equal((true, 2, 4L, 4L), (view.On, view.Workers, view.Step, view.Runs));
        Assert.Equal(["linear", "relu"], view.Operators.Select(o => o.Operator));
        var linear = view.Operators[0];
        Assert.Equal((8, 11.0, 1.0, 5.0), (linear.Calls, linear.TotalMs, linear.MinMs, linear.MaxMs));
        Assert.Equal((11.0 / 13, 12.0 / 11), (linear.Share, linear.GigaFlops));
        Assert.Equal((5.0, 6.0, 4.0), (view.Operators[1].MinMs, view.Operators[1].MaxMs, view.Operators[1].GigaBytes));

        Feed(new ProfileAsked(false));
        Assert.Equal([(1, false), (2, false)], Profiles().TakeLast(2));
        Say(2, Times(5, 9)); // was under way
        Assert.Equal((2, false), Profiles()[^1]);
        Assert.Equal((false, 11.0), (_protocol.Profile!.On, _protocol.Profile!.Operators[0].TotalMs));
        Feed(new ProfileAsked(true));
        Assert.Empty(_protocol.Profile!.Operators);
    }

    [Fact]
    public void JB1_R16_R20_workers_that_prepare_different_jobs_are_named_with_the_differences()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2, samples: 44, data: 8);
        Assert.Equal("failed", _protocol.Outcome);
        Assert.Equal("worker-2 and worker-1 do not prepare the same job: 44 samples against 45; "
            + "data SHA-256 080102030405 against 090102030405", _protocol.RootCause!.Text);
    }

    [Fact]
    public void JB1_a_joiner_that_differs_is_let_go_and_the_job_goes_on()
    {
        Begin(1);
        Ready(1);
        Generation(1, 0, 10, 1);
        Feed(new MembershipSaid(Worker(2)));
        Ready(2, h0: 6);
        Assert.Contains("H_0", Assert.Single(Told<WorkerUnfit>()).Reason, StringComparison.Ordinal);
        Assert.Equal(JobStatus.Running, _protocol.Status);
    }

    [Fact]
    public void A_users_mistake_ends_the_job_with_its_line_and_code()
    {
        Begin(1);
        Say(1, new PrepareFailed
        { JobId = "digits-1", Text = "data/x.csv:3: 'abc' is not a number", ExitCode = (int)ExitCode.BadData });
        Assert.Equal(((int)ExitCode.BadData, "data/x.csv:3: 'abc' is not a number"),
            (_protocol.RootCause!.ExitCode, _protocol.RootCause.Text));
    }

    [Fact]
    public void Until_step_ends_with_a_checkpoint_and_resume_has_nothing_to_redo()
    {
        var resumed = New(until: 4, origin: new StateOrigin(new StepNumber(4), new Fingerprint(4), "/c/step-4"));
        resumed.Begin([Worker(1)], _now, _outbox);
        resumed.Step(new WorkerSaid(new WorkerId(1), new Incarnation(1),
            new Ready { JobId = "digits-1", Samples = 45 }), _now, _outbox);
        resumed.Step(new MembershipSaid(new GenerationBegan(
            new Generation(1), new ShareMap(4, [new WorkerId(1)], [0, 4]), new StepNumber(4), new StepNumber(4),
            false)), _now, _outbox);
        resumed.Step(new WorkerSaid(new WorkerId(1), new Incarnation(1), new ReachedEnd { Generation = 1, Step = 4 }),
            _now, _outbox);
        Assert.Equal("finished", resumed.Outcome);
    }

    [Fact]
    public void R3_the_first_failure_is_the_cause_and_progress_forgets_it()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2);
        Generation(1, 0, 10, 1, 2);
        Feed(new ProcessEnded("worker-2", 137, "last words"));
        Feed(new MembershipSaid(new WorkerLost(new WorkerId(2), "worker-2", "its process ended", WasMember: true,
            Charged: true)));
        Assert.Equal(("worker-2", "its process ended with code 137 (signal 9)", "last words"),
            (_protocol.RootCause!.Worker, _protocol.RootCause.Text, _protocol.RootCause.Detail));
        Assert.Equal((1, 0), (_protocol.Failures, _protocol.ScaleEvents));
        Generation(2, 0, 10, 1);
        Rows(1, 1, 1);
        Assert.Null(_protocol.RootCause);
    }

    [Fact]
    public void JB4_failures_without_progress_end_the_job_and_scale_events_do_not()
    {
        Begin(1);
        Ready(1);
        Generation(1, 0, 10, 1);
        for (var i = 0; i < 20; i++)
            Feed(new MembershipSaid(new WorkerLost(new WorkerId(5), "worker-5", "left", true, Charged: false)));
        for (var g = 1; g <= 8; g++)
        {
            // Members that are lost out of one generation are one failure.
            for (var i = 0; i < 12; i++)
                Feed(new MembershipSaid(new WorkerLost(new WorkerId(2), "worker-2", "crash", true, Charged: true)));
            Generation(g + 1, 0, 10, 1);
        }

        Assert.Equal(JobStatus.Running, _protocol.Status);
        Feed(new MembershipSaid(new WorkerLost(new WorkerId(2), "worker-2", "crash", true, Charged: true)));
        Assert.Equal(("failed", "crash"), (_protocol.Outcome, _protocol.RootCause!.Text));
    }

    [Fact]
    public void R1_a_late_step_names_the_worker_and_who_waits_for_it()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2);
        Generation(1, 0, 10, 1, 2);
        Rows(1, 1, 1);
        var waiting = new Beat { Generation = 1, Step = 1, Phase = "Reduce", Operation = "bucket 0" };
        waiting.WaitsOn.Add(2);
        Say(1, waiting);
        Say(2, new Beat { Generation = 1, Step = 1, Phase = "Compute", Operation = "forward", OperationMs = 1_500 });
        Tick(TimeSpan.FromSeconds(1.6));
        Assert.Contains(
            "step 2 is late by 1.6 s: worker-2 (w2) is at step 2 in Compute forward for 1500 ms, worker-1 wait for it",
            _protocol.Overdue, StringComparison.Ordinal);
        Assert.Equal([(1, _protocol.Overdue!), (2, _protocol.Overdue!)], All<TellWorker>()
            .Where(e => e.Message is StepLate).Select(e => (e.Worker.Value, ((StepLate)e.Message).Text)));
        Tick(TimeSpan.FromSeconds(11));
        Assert.Equal(2, Assert.Single(Told<WorkerHangs>()).Worker.Value);
    }

    // CP-5: a worker that waits for room for a save waits for this coordinator: it is named as late, and kept.
    [Fact]
    public void CP5_who_waits_for_room_does_not_hang()
    {
        Begin(1);
        Ready(1);
        Generation(1, 0, 10, 1);
        Rows(1, 1, 1);
        Say(1, new Beat { Generation = 1, Step = 1, Phase = "SaveWait", Operation = "room", AwaitsRoom = true });
        Tick(TimeSpan.FromSeconds(1.6));
        Assert.Contains("in SaveWait room", _protocol.Overdue, StringComparison.Ordinal);
        Tick(TimeSpan.FromSeconds(30));
        Assert.Empty(Told<WorkerHangs>());
    }

    [Fact]
    public void CP5_the_end_of_a_save_is_told_to_all_members_of_its_generation()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2);
        Generation(3, 0, 10, 1, 2);
        Feed(new SaveSettles(new StepNumber(4), new Generation(2), null));
        Assert.Empty(All<TellWorker>().Where(e => e.Message is SaveSettled));
        Feed(new SaveSettles(new StepNumber(5), new Generation(3), null));
        Feed(new SaveSettles(new StepNumber(4), new Generation(2), new WorkerId(2)));
        Assert.Equal([(1, 3L, 5L), (2, 3, 5), (2, 2, 4)], All<TellWorker>().Select(e => (e.Worker.Value, e.Message))
            .Where(e => e.Message is SaveSettled)
            .Select(e => (e.Value, ((SaveSettled)e.Message).Generation, ((SaveSettled)e.Message).Step)));
    }

    [Fact]
    public void M6_different_final_weights_fail_the_job()
    {
        Begin(1, 2);
        Ready(1);
        Ready(2);
        Generation(1, 0, 10, 1, 2);
        Rows(1, 1, 10);
        Feed(new StateSaved(new StepNumber(10), default, "/c/step-10"));
        End(1, 10);
        End(2, 10, sha: 2);
        Assert.Contains("different weights", _protocol.RootCause!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stop_ends_where_the_members_saved()
    {
        Begin(1);
        Ready(1);
        Generation(1, 0, 10, 1);
        Rows(1, 1, 3);
        Feed(new StopAsked("asked"));
        Feed(new StopAsked("asked again", "c2"));
        Assert.Single(Told<StopJob>());
        // L6: both numbers are in the journal, and whoever leads next knows the first reason and answers both.
        var left = new JobHistory();
        foreach (var record in _effects.OfType<PersistJob>()) left.Apply(record.Event);
        Assert.Equal(("asked", "c2"), (left.Stop!.Reason, Assert.Single(left.Commands)));
        Generation(2, 3, 3, 1);
        End(1, 3, g: 2);
        Feed(new StateSaved(new StepNumber(3), default, "/c/step-3"));
        Assert.Equal("stopped", _protocol.Outcome);
    }

    [Fact]
    public void A_worker_that_does_not_prepare_in_time_is_let_go()
    {
        Begin(1);
        Tick(TimeSpan.FromSeconds(61));
        Assert.Contains("within 60 s", Assert.Single(Told<WorkerUnfit>()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_save_only_generation_for_a_leaver_is_no_end_of_the_job()
    {
        Begin(1);
        Ready(1);
        Generation(1, 0, 10, 1);
        Generation(2, 3, 3, 1);
        End(1, 3, g: 2);
        Feed(new StateSaved(new StepNumber(3), default, "/c/step-3"));
        Assert.Equal(JobStatus.Running, _protocol.Status);
    }
}
