using Convoy.Autodiff.Optim;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Learning;

/// <summary>J3 to J5 at the member: it never waits, it lends within bounds, it lets go who does not read.</summary>
public sealed class DonorProtocolTests
{
    private readonly DonorProtocol _donor = new(new ClockTable());
    private readonly FeedMemory _memory = new() { Keeps = true };
    private Instant _now = new(1_000_000);

    public DonorProtocolTests() => Do(new DonorEntered(new Generation(1), StepNumber.Zero, [], []));

    private IReadOnlyList<DonorOutput> Do(DonorInput input)
    {
        _donor.Step(input, _now);
        return _donor.Drain();
    }

    private IReadOnlyList<DonorOutput> After(double milliseconds)
    {
        _now += TimeSpan.FromMilliseconds(milliseconds);
        _donor.Tick(_now);
        return _donor.Drain();
    }

    private static Incarnation Inc(int learner) => new((ulong)learner);

    private void Feed(int learner)
    {
        var asked = Do(new PupilSaid(Inc(learner), new FeedAsk { Generation = 1, From = learner }));
        Assert.Contains(asked, o => o is KeepFeeding { On: true });
        var begins = Do(new FeedingFrom(new Generation(1), new StepNumber(4), 1_000));
        Assert.Contains(begins, o => o is TellPupil { Message: FeedBegins { Step: 4 } });
    }

    private StepFed Step(long step, int elements = 4_096)
    {
        var records = new List<FeedRecord>();
        FeedRecord.Cut(records, _memory, new PinnedVector(elements), new StepNumber(step), default, 0, elements);
        return new StepFed(new StepNumber(step), records);
    }

    private static SnapshotCopied Copy(long step) =>
        new(new ModelState(20_480, [new StateVector(20_480, [])]) { Step = new StepNumber(step) }, new byte[32]);

    [Fact]
    public void One_frame_is_under_way_and_small_steps_travel_together()
    {
        Feed(7);
        Assert.Single(Do(Step(5)), o => o is SendRecords);
        Assert.DoesNotContain(Do(Step(6)), o => o is SendRecords);
        Assert.DoesNotContain(Do(Step(7)), o => o is SendRecords);
        _now += TimeSpan.FromMilliseconds(1);
        Assert.DoesNotContain(Do(new PupilSaid(Inc(7), new ChunkHeard { Bytes = 16_416 })), o => o is SendRecords);
        Assert.Empty(After(8).OfType<SendRecords>()); // ten times the millisecond that it took
        Assert.Equal([6L, 7L], After(1).OfType<SendRecords>().Single().Records.Select(r => r.Step.Value));
    }

    [Fact]
    public void A_learner_that_does_not_read_is_let_go_at_the_deadline()
    {
        Feed(7);
        Do(Step(5));
        Assert.Empty(After(4_900).OfType<DropPupil>());
        var outputs = After(200);
        Assert.Equal(Inc(7), outputs.OfType<DropPupil>().Single().Pupil);
        Assert.Contains(outputs, o => o is KeepFeeding { On: false });
        Assert.False(_donor.HasPupils);
    }

    [Fact]
    public void Copies_have_a_bound_and_the_oldest_lease_ends()
    {
        foreach (var learner in new[] { 7, 8, 9 }) Feed(learner);
        for (var i = 0; i < 3; i++)
        {
            Assert.Contains(Do(new PupilSaid(Inc(7 + i), new SnapAsk { AtLeast = 5 + i })), o => o is CopySnapshot);
            var outputs = Do(Copy(5 + i));
            Assert.Contains(outputs, o => o is TellPupil { Message: SnapOffer m } && m.Step == 5 + i);
            Assert.Equal(i == 2, outputs.Any(o => o is TellPupil { Message: SnapEnds { Step: 5 } }));
            Assert.True(_donor.Copies <= DonorProtocol.CopiesMax);
        }

        // The one whose lease ended gets no frame of another copy (J3).
        Assert.Contains(Do(new PupilSaid(Inc(7), new SnapGet { Step = 5, First = 0, Count = 1 })),
            o => o is TellPupil { Message: SnapEnds });
    }

    [Fact]
    public void One_copy_serves_all_who_ask_before_it_is_made()
    {
        foreach (var learner in new[] { 7, 8 }) Feed(learner);
        Assert.Single(Do(new PupilSaid(Inc(7), new SnapAsk { AtLeast = 5 })), o => o is CopySnapshot);
        Assert.DoesNotContain(Do(new PupilSaid(Inc(8), new SnapAsk { AtLeast = 5 })), o => o is CopySnapshot);
        Assert.Equal(2, Do(Copy(6)).Count(o => o is TellPupil { Message: SnapOffer }));
        Assert.Equal(1, _donor.Copies);
    }

    // The member that owed it a piece is lost: it asks another one, which had let it go when it was opened as a member.
    [Fact]
    public void A_joiner_gets_a_piece_that_a_lost_member_owed_it()
    {
        Feed(7);
        Do(Step(5));
        Do(new PupilSaid(Inc(7), new ChunkHeard { Bytes = Step(5).Records.Sum(r => r.Bytes) }));
        Do(new DonorEntered(new Generation(2), new StepNumber(5), [new Member { WorkerId = 7, Incarnation = 7 }], []));
        Assert.False(_donor.HasPupils); // nothing waited for it
        var need = new PupilSaid(Inc(7), new NeedChunks { Step = 5, Count = 4_096 });
        Assert.Equal(Inc(7), Do(need).OfType<CopyChunks>().Single().For);
        Assert.Empty(After(1)); // the device copies
        Assert.Equal([5L], Do(new ChunksCopied(Inc(7), new StepNumber(5), Step(5).Records))
            .OfType<SendRecords>().Single().Records.Select(r => r.Step.Value));
        Do(new PupilSaid(Inc(7), new ChunkHeard { Bytes = Step(5).Records.Sum(r => r.Bytes) }));
        Assert.False(_donor.HasPupils);

        // What is not kept is said, and whoever was no pupil here gets nothing.
        Do(need);
        Assert.Contains(Do(new ChunksCopied(Inc(7), new StepNumber(5), [])),
            o => o is TellPupil { Message: ChunksGone { Step: 5 } });
        Assert.Empty(Do(new PupilSaid(Inc(8), new NeedChunks { Step = 5, Count = 4_096 })).OfType<CopyChunks>());
        Do(new DonorEntered(new Generation(3), new StepNumber(5), [new Member { WorkerId = 7, Incarnation = 7 }], []));
        Assert.Empty(Do(need).OfType<CopyChunks>()); // its members asked for it in time, or begin anew
    }

    // J4: a device that enters a generation forgets which copies it was to make; the learner has no reason to ask
    // again, and every later one would wait behind it (LearnerClusterTests, seed 7: nobody lent any more).
    [Fact]
    public void J4_a_copy_that_was_asked_for_before_a_generation_is_asked_for_in_it()
    {
        Feed(7);
        Assert.Single(Do(new PupilSaid(Inc(7), new SnapAsk { AtLeast = 5 })), o => o is CopySnapshot);
        Member learner = new() { WorkerId = 7, Incarnation = 7 };
        var again = Do(new DonorEntered(new Generation(2), new StepNumber(4), [], [learner]));
        Assert.Equal(5, again.OfType<CopySnapshot>().Single().AtLeast.Value);
        // Whoever asked is gone: the next one is not kept waiting.
        Do(new DonorEntered(new Generation(3), new StepNumber(4), [], []));
        Do(new PupilSaid(Inc(8), new FeedAsk { Generation = 3, From = 8 }));
        Assert.Single(Do(new PupilSaid(Inc(8), new SnapAsk { AtLeast = 6 })), o => o is CopySnapshot);
    }

    // J5: what status shows of it.
    [Fact]
    public void What_learners_cost_is_counted_and_what_they_share_once()
    {
        foreach (var learner in new[] { 7, 8 }) Feed(learner);
        Assert.Equal(0, _donor.HeldBytes);
        var bytes = Step(5).Records.Sum(r => (long)r.Bytes);
        Do(Step(5)); // leaves at once
        Do(Step(6));
        Assert.Equal(bytes, _donor.HeldBytes); // waits for both
        Do(new PupilSaid(Inc(7), new SnapAsk { AtLeast = 5 }));
        Do(Copy(6));
        Assert.Equal(bytes + (2 * 20_480 * sizeof(float)), _donor.HeldBytes);
        Do(new PupilGone(Inc(7), "test"));
        Do(new PupilGone(Inc(8), "test"));
        Assert.Equal(0, _donor.HeldBytes);
    }

    // Memory of a piece serves again when the last learner has taken it; what a link may still read does not.
    [Fact]
    public void What_all_have_taken_is_used_again()
    {
        const long piece = 16_416;
        foreach (var learner in new[] { 7, 8 }) Feed(learner);
        for (var step = 5; step < 20; step++)
        {
            Do(Step(step));
            Assert.Equal(0, _memory.FreeBytes);
            foreach (var learner in new[] { 7, 8 })
            {
                _now += TimeSpan.FromMilliseconds(1);
                Do(new PupilSaid(Inc(learner), new ChunkHeard { Bytes = piece }));
                Assert.Equal(learner == 7 ? 0 : piece, _memory.FreeBytes);
            }

            After(100);
        }

        Do(Step(20));
        Do(Step(21)); // waits
        Do(new PupilGone(Inc(7), "test"));
        Do(new PupilGone(Inc(8), "test"));
        Assert.Equal(piece, _memory.FreeBytes);
        Do(Step(22)); // nobody wants it; the memory was rented for it
        Assert.Equal(piece, _memory.FreeBytes);
        _memory.Keeps = false;
        Assert.Equal(0, _memory.FreeBytes);
    }

    [Fact]
    public void Memory_that_waits_to_be_used_has_a_bound()
    {
        var rented = Enumerable.Range(0, 200).Select(i => _memory.Rent((1 << 18) + i)).ToList();
        foreach (var memory in rented) _memory.GiveBack(memory);
        Assert.InRange(_memory.FreeBytes, 60L << 20, 64L << 20);
        Assert.Same(rented[^1], _memory.Rent(rented[^1].Length));
        Assert.NotSame(rented[0], _memory.Rent(rented[0].Length));
    }

    [Fact]
    public void A_joiner_gets_the_rest_without_pauses_and_nothing_after_it()
    {
        Feed(7);
        Do(Step(5));
        Do(Step(6));
        var joined = new Member { WorkerId = 7, Incarnation = 7 };
        Do(new DonorEntered(new Generation(2), new StepNumber(6), [joined], []));
        _now += TimeSpan.FromMilliseconds(1);
        var heard = Do(new PupilSaid(Inc(7), new ChunkHeard { Bytes = 16_416 }));
        Assert.Equal(6, heard.OfType<SendRecords>().Single().Records.Single().Step.Value);
        Assert.DoesNotContain(Do(Step(7)), o => o is SendRecords);
        heard = Do(new PupilSaid(Inc(7), new ChunkHeard { Bytes = 16_416 }));
        Assert.Contains(heard, o => o is KeepFeeding { On: false });
        Assert.False(_donor.HasPupils);
    }

    [Fact]
    public void A_full_queue_ends_the_feed_and_not_the_step()
    {
        Feed(7);
        var ends = 0;
        // 16 MB a step: three steps are always kept, then 256 MB are the bound.
        for (var step = 5; step < 30; step++)
            ends += Do(Step(step, 4 << 20)).Count(o => o is TellPupil { Message: FeedEnds });
        Assert.Equal(1, ends);
        Assert.False(_donor.HasPupils);
    }

    // 1 MB of a link of 1 GB/s; with two steps and more behind it the pause is a fifth of what it was.
    [Theory]
    [InlineData(0, 10.0)]
    [InlineData(2, 2.0)]
    [InlineData(5, 2.0)]
    public void Who_is_behind_gets_up_to_five_times_its_share(int waiting, double pauseMs)
    {
        Feed(7);
        var elements = (8 << 20) / sizeof(float);
        // The first step's frames go out one by one, so that the link's speed is known.
        Do(Step(5, elements));
        for (var frame = 0; frame < 7; frame++)
        {
            _now += TimeSpan.FromMilliseconds(1);
            Do(new PupilSaid(Inc(7), new ChunkHeard { Bytes = FeedHeader.Size + (1 << 20) }));
            After(20);
        }

        for (var step = 6; step < 6 + waiting; step++) Do(Step(step, elements));
        var sentAt = _now;
        _now += TimeSpan.FromMilliseconds(1);
        Do(new PupilSaid(Inc(7), new ChunkHeard { Bytes = FeedHeader.Size + (1 << 20) }));
        if (waiting == 0) Do(Step(6, 4_096));
        Assert.Empty(After(pauseMs - 1.2).OfType<SendRecords>());
        Assert.Single(After(0.4).OfType<SendRecords>());
        Assert.True(_now > sentAt);
    }
}
