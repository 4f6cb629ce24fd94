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
}
