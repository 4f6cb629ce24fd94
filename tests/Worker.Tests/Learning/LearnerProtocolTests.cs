using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Tests.Learning;

/// <summary>FT-02, R25: what a learner is told when its generation opens, after it was chosen as a level one.</summary>
public sealed class LearnerProtocolTests
{
    private static readonly Fingerprint H = new(0xABC);

    private readonly LearnerProtocol _learner = new(new WorkerId(9), new ClockTable())
    {
        Elements = 4_096, Frames = new SnapshotFrames([4_096]),
    };

    private Instant _now = new(1_000_000);
    private int _epoch;

    private IReadOnlyList<LearnerOutput> Do(LearnerInput input)
    {
        _now += TimeSpan.FromMilliseconds(1);
        _learner.Step(input, _now);
        var outputs = _learner.Drain();
        foreach (var cleared in outputs.OfType<ClearMemory>()) _epoch = cleared.Epoch;
        return outputs;
    }

    private static Member Member(int id) => new() { WorkerId = id, Incarnation = (ulong)id, PeerAddress = "w:1" };

    private static Incarnation Inc(int id) => new((ulong)id);

    private static FedApplied Applied(long step) => new(new StepNumber(step), H);

    private static FinishAt Opens(long target) =>
        new(new Generation(2), new StepNumber(target), [Member(2), Member(9)]);

    // Two members; the own state is step 12, all that was fed so far.
    private void BeginReplaying()
    {
        var learn = new Learn { Generation = 1, StartStep = 0 };
        learn.Members.AddRange([Member(1), Member(2)]);
        Do(new LearnFrom(learn, new StepNumber(12), H));
        foreach (var member in new[] { 1, 2 })
        {
            Do(new TeacherLinked(Inc(member)));
            Do(new TeacherSaid(Inc(member), new FeedBegins { Generation = 1, Step = 12 }));
        }

        Assert.Equal(LearnerStatus.Replaying, _learner.Status);
    }

    // A member that leaves at T takes its feed with it, and may answer once more before it is gone.
    private void LoseALink()
    {
        Do(new TeacherGone(Inc(1), "the peer said goodbye"));
        Do(new TeacherLinked(Inc(1)));
        Assert.Equal(LearnerStatus.Admitted, _learner.Status);
    }

    [Fact]
    public void A_feed_lost_at_the_start_state_costs_nothing()
    {
        BeginReplaying();
        LoseALink();
        var outputs = Do(Opens(12));
        Assert.Contains(outputs, o => o is FinishReached { Generation.Value: 2 });
        Assert.DoesNotContain(outputs, o => o is FinishFailed);
        Assert.Equal(LearnerStatus.Idle, _learner.Status);
    }

    [Fact]
    public void A_feed_lost_before_the_start_state_is_said()
    {
        BeginReplaying();
        LoseALink();
        var failed = Assert.Single(Do(Opens(13)).OfType<FinishFailed>());
        Assert.Contains("g2 starts from 13", failed.Why, StringComparison.Ordinal);
        Assert.Equal(LearnerStatus.Idle, _learner.Status);
    }

    [Fact]
    public void A_learner_with_its_feed_finishes_when_the_last_step_is_applied()
    {
        BeginReplaying();
        Assert.DoesNotContain(Do(Opens(13)), o => o is FinishReached or FinishFailed);
        var piece = new FeedHeader(new StepNumber(13), H, 0, 4_096);
        Do(new PieceIn(Inc(2), piece, _epoch));
        Assert.Contains(Do(new FeedFrameIn(Inc(2), new StepNumber(13))), o => o is ApplyFed { Step.Value: 13 });
        Assert.Contains(Do(Applied(13)), o => o is FinishReached { Generation.Value: 2 });
    }

    // Whole steps come, one after the other, with the members so far ahead of each.
    private void Follow(long from, long to, long ahead)
    {
        for (var step = from; step <= to; step++)
        {
            Do(new PieceIn(Inc(2), new FeedHeader(new StepNumber(step), H, 0, 4_096), _epoch));
            Do(new FeedFrameIn(Inc(2), new StepNumber(step + ahead)));
            Do(Applied(step));
        }
    }

    private void StepsTake(long microseconds) =>
        Do(new TeacherSaid(Inc(1), new FeedBegins { Generation = 1, Step = 12, StepUs = microseconds }));

    // A feed at the members' pace is one or two steps behind, by turns.
    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void A_level_learner_falls_back_beyond_three_steps(long ahead, bool staysLevel)
    {
        BeginReplaying();
        StepsTake(200_000);
        Follow(13, 15, ahead: 0);
        Assert.Equal(LearnerStatus.Level, _learner.Status);
        Follow(16, 16, ahead);
        Assert.Equal(staysLevel ? LearnerStatus.Level : LearnerStatus.Replaying, _learner.Status);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(3, 20)]
    public void It_is_level_when_it_has_kept_near(long ahead, int steps)
    {
        BeginReplaying();
        StepsTake(200_000);
        Follow(13, 12 + steps - 1, ahead);
        Assert.Equal(LearnerStatus.Replaying, _learner.Status);
        Follow(12 + steps, 12 + steps, ahead);
        Assert.Equal(LearnerStatus.Level, _learner.Status);
    }

    private void WaitInVain()
    {
        _now += TimeSpan.FromSeconds(20);
        _learner.Tick(_now);
    }

    [Fact]
    public void Loads_that_fail_by_changes_of_the_members_are_not_counted()
    {
        BeginReplaying();
        for (var generation = 2; generation < 12; generation++)
        {
            var learn = new Learn { Generation = generation, StartStep = 12 };
            learn.Members.AddRange([Member(1), Member(3)]);
            Do(new LearnFrom(learn, new StepNumber(12), H));
            if (generation == 2) Do(new TeacherSaid(Inc(1), new ChunksGone { Step = 13 }));
            for (var load = generation == 2 ? 2 : 1; load < 5; load++) WaitInVain();
            Assert.Equal(LearnerStatus.Admitted, _learner.Status);
        }

        WaitInVain(); // the fifth among the same members
        Assert.Equal(LearnerStatus.Failed, _learner.Status);
        Assert.Contains(_learner.Drain(),
            o => o is TellLeader { Message: LearnerReport { Phase: LearnerPhase.TooSlow } });
    }

    [Fact]
    public void A_feed_that_ends_because_too_much_waits_is_too_slow_at_once()
    {
        BeginReplaying();
        StepsTake(100_000);
        var outputs = Do(new TeacherSaid(Inc(1), new FeedEnds { Reason = "300 bytes wait for it, 256 may (J4)" }));
        var report = outputs.OfType<TellLeader>().Select(o => o.Message).OfType<LearnerReport>().Single();
        Assert.Equal((LearnerPhase.TooSlow, 4_096 * 4 * 10), (report.Phase, report.NeededBytesPerSecond));
    }

    [Fact]
    public void A_step_that_its_disk_lost_is_another_load_and_no_other_history()
    {
        BeginReplaying();
        Do(new PieceIn(Inc(2), new FeedHeader(new StepNumber(13), H, 0, 4_096), _epoch));
        Do(new FeedFrameIn(Inc(2), new StepNumber(13)));
        var outputs = Do(new FedUnreadable(new StepNumber(13), "step-13: other bytes"));
        Assert.Equal(LearnerStatus.Admitted, _learner.Status);
        Assert.DoesNotContain(outputs,
            o => o is DropState or TellLeader { Message: LearnerReport { Phase: LearnerPhase.Broken } });
        Assert.Equal(2, outputs.Count(o => o is TellTeacher { Message: FeedAsk }));
    }

    // Two blocks, one of each member: w2's part of step 13 comes, w1's does not.
    private void LackAPart()
    {
        (_learner.Elements, _learner.Frames) = (8_192, new SnapshotFrames([8_192]));
        BeginReplaying();
        Do(new PieceIn(Inc(2), new FeedHeader(new StepNumber(13), H, 4_096, 4_096), _epoch));
        Do(new FeedFrameIn(Inc(2), new StepNumber(13)));
    }

    private IReadOnlyList<LearnerOutput> TickAfter(TimeSpan time)
    {
        _now += time;
        _learner.Tick(_now);
        return _learner.Drain();
    }

    private static readonly TimeSpan Late = new ClockTable().LearnerPiece + TimeSpan.FromMilliseconds(10);

    private static bool IsAsk(LearnerOutput output) => output is TellTeacher { Message: NeedChunks { Step: 13 } };

    [Fact]
    public void A_piece_that_nobody_sends_is_asked_for_once_and_then_everything_begins_anew()
    {
        LackAPart();
        Assert.DoesNotContain(TickAfter(Late / 2), IsAsk);
        var asked = TickAfter(Late / 2);
        var ask = Assert.Single(asked.OfType<TellTeacher>(), IsAsk);
        Assert.Equal(Inc(2), ask.To); // the first would have been asked before
        Assert.Contains(asked, o => o is LearnerNote { Text: var text }
            && text.Contains("no piece of step 13 came within 10 s; missing: w1's part", StringComparison.Ordinal));

        var anew = TickAfter(Late);
        Assert.Equal(LearnerStatus.Admitted, _learner.Status);
        Assert.Equal(2, anew.Count(o => o is TellTeacher { Message: FeedAsk }));
    }

    // The race of the deadline: the piece arrives just before it, just after it, and with the second load under way.
    [Theory]
    [InlineData(-20, 0)]
    [InlineData(20, 1)]
    public void A_piece_that_comes_about_the_deadline_is_applied(int afterDeadlineMs, int asks)
    {
        LackAPart();
        var before = TickAfter(Late + TimeSpan.FromMilliseconds(afterDeadlineMs - 10));
        Assert.Equal(asks, before.Count(IsAsk));
        var piece = new FeedHeader(new StepNumber(13), H, 0, 4_096);
        Do(new PieceIn(Inc(1), piece, _epoch));
        Assert.Contains(Do(new FeedFrameIn(Inc(1), new StepNumber(13))), o => o is ApplyFed { Step.Value: 13 });
        // While the device applies it nothing is waited for; the answer to the ask comes too, and changes nothing.
        Assert.DoesNotContain(TickAfter(2 * Late), IsAsk);
        Do(new PieceIn(Inc(2), piece, _epoch));
        Do(Applied(13));
        Assert.Equal((LearnerStatus.Replaying, 13L), (_learner.Status, _learner.State.Value));
        Assert.DoesNotContain(TickAfter(Late / 2), o => o is TellTeacher);
    }

    [Fact]
    public void A_piece_of_the_load_before_does_not_count()
    {
        LackAPart();
        var old = _epoch;
        foreach (var cleared in TickAfter(Late).Concat(TickAfter(Late)).OfType<ClearMemory>()) _epoch = cleared.Epoch;
        Assert.NotEqual(old, _epoch);
        Do(new PieceIn(Inc(1), new FeedHeader(new StepNumber(13), H, 0, 4_096), old));
        Assert.DoesNotContain(Do(new FeedFrameIn(Inc(1), new StepNumber(13))), o => o is ApplyFed);
        Assert.Equal(LearnerStatus.Admitted, _learner.Status);
    }

    [Fact]
    public void A_member_that_is_not_fed_to_the_start_state_says_so()
    {
        LackAPart();
        Assert.DoesNotContain(Do(Opens(13)), o => o is FinishReached or FinishFailed);
        TickAfter(Late);
        var failed = Assert.Single(TickAfter(Late).OfType<FinishFailed>());
        Assert.Contains("no piece of step 13 came", failed.Why, StringComparison.Ordinal);
        Assert.Equal(LearnerStatus.Idle, _learner.Status);
    }

    // All are silent: either nothing is trained, or nobody feeds any more. Their answer tells the one from the other.
    [Fact]
    public void Members_that_are_silent_are_asked_whether_they_feed()
    {
        BeginReplaying();
        var asked = TickAfter(Late);
        Assert.Equal(2, asked.Count(o => o is TellTeacher { Message: FeedAsk }));
        Do(new TeacherSaid(Inc(1), new FeedBegins { Generation = 1, Step = 12 }));
        Assert.DoesNotContain(TickAfter(Late / 2), o => o is TellTeacher);

        Do(new TeacherSaid(Inc(1), new FeedBegins { Generation = 1, Step = 15 }));
        Assert.Equal(3, _learner.Lag);
        Assert.Single(TickAfter(Late).OfType<TellTeacher>(), IsAsk);
        TickAfter(Late);
        Assert.Equal(LearnerStatus.Admitted, _learner.Status);
    }
}
