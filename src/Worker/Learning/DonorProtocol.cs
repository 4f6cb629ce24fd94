using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Worker.Training;
using Google.Protobuf;

namespace Convoy.Worker.Learning;

// The half of a learner's transfer that a member does: it feeds its part of every step, and lends a copy of a state. It
// never waits for a learner: what it sends was copied before, one frame at a time is on its way, and a learner that
// takes none is let go at the deadline. Pure: messages and time in, orders out.
// J3  All frames of one load are of one copy, made at a step's boundary by the device.
// J4  Nothing here holds up a step: a queue that grows over its bound ends that learner's feed.
// J5  Copies for all leases together have a bound; the oldest lease ends when one more would pass it.
internal enum PupilStatus
{
    Known,     // named by the coordinator or by itself; not fed yet
    Feeding,   // this worker's part of every step is queued for it
    Finishing, // it is a joiner: what is queued goes out at full speed, nothing is added
    Gone,
}

internal sealed partial class DonorProtocol(ClockTable clocks)
{
    public static readonly (PupilStatus From, PupilStatus To, string On)[] Transitions =
    [
        (PupilStatus.Known, PupilStatus.Feeding, "the device feeds from here on"),
        (PupilStatus.Feeding, PupilStatus.Finishing, "a generation with it as a member"),
        (PupilStatus.Known, PupilStatus.Finishing, "a joiner asks for a piece that one who is gone owed it"),
        (PupilStatus.Known, PupilStatus.Gone, "it ends, its link is lost, or a generation without it"),
        (PupilStatus.Feeding, PupilStatus.Gone,
            "it ends, its link is lost, the chunk deadline, a full queue, or a generation without it"),
        (PupilStatus.Finishing, PupilStatus.Gone, "nothing is left to send, or the next generation"),
    ];

    /// <summary>Copies of the state that leases may hold together (J5).</summary>
    public const int CopiesMax = 2;

    /// <summary>Bytes that may wait for one learner; at least three steps' parts.</summary>
    public const long QueueBytesMax = 256L << 20;

    /// <summary>
    /// One that is two steps behind gets up to so many times its share: what it is fed in the end is one vector for
    /// each step either way, and members that stand at a fence while it copies lose more.
    /// </summary>
    private const double HurryMost = 5;
    private const long HurryBytesMin = 2 << 20;

    private const int PackedBytesMax = 256 << 10;
    private static readonly TimeSpan LeaseMin = TimeSpan.FromSeconds(10);

    private readonly List<Pupil> _pupils = [];
    private readonly List<Lease> _leases = [];
    private readonly List<DonorOutput> _outputs = [];
    private Generation _generation;
    private StepNumber _applied;
    private readonly List<(WorkerId Id, Incarnation Incarnation)> _joined = []; // pupils before this generation
    private StepNumber _start; // of this generation
    private readonly List<(Incarnation From, FeedAsk Ask)> _early = []; // of a generation that is not entered here yet
    private bool _feeding;
    private bool _copying;
    private Instant _now;

    private sealed class Pupil(WorkerId id, Incarnation incarnation, double share)
    {
        public WorkerId Id => id;
        public Incarnation Incarnation => incarnation;
        public PupilStatus Status { get; set; } = PupilStatus.Known;
        public bool Linked { get; set; }
        public StepNumber Target { get; set; } // of a joiner: the start state of its generation
        public SharePacer Pacer { get; } = new(share);
        public Queue<FeedRecord> Records { get; } = new();
        public long QueuedBytes { get; set; }
        public long LargestStep { get; set; }
        public Queue<int> Frames { get; } = new();
        public Lease? Lease { get; set; }
        public StepNumber? Asks { get; set; }   // a copy that is not older
        public long UnderWay { get; set; }      // bytes; 0: nothing
        public List<FeedRecord> Sent { get; } = []; // the pieces of them
        public Instant SentAt { get; set; }
        public bool FramesNext { get; set; }    // feed and snapshot take turns
        public bool Asked { get; set; }         // it waits for FeedBegins
        public int Copying { get; set; }        // pieces that the device was asked for
    }

    private sealed class Lease(ModelState copy, byte[] digest, Instant since)
    {
        public ModelState Copy => copy;
        public byte[] Digest => digest;
        public Instant Since => since;
        public StepNumber Step => copy.Step;
        public SnapshotFrames Frames { get; } = new(copy.All.Select(v => (long)v.Length));
    }

    public bool HasPupils => _pupils.Count > 0;

    /// <summary>Copies of the state that exist for learners now.</summary>
    public int Copies => _leases.Count;

    /// <summary>
    /// Bytes of memory that learners cost this member now: copies that are lent, and the longest queue of steps, whose
    /// pieces the others share.
    /// </summary>
    public long HeldBytes
    {
        get
        {
            var (copies, queued) = (0L, 0L);
            foreach (var lease in _leases) copies += lease.Frames.Bytes;
            foreach (var pupil in _pupils) queued = Math.Max(queued, pupil.QueuedBytes);
            return copies + queued;
        }
    }

    public IEnumerable<Incarnation> Pupils => _pupils.Select(p => p.Incarnation);

    public IReadOnlyList<DonorOutput> Drain()
    {
        var outputs = _outputs.ToArray();
        _outputs.Clear();
        return outputs;
    }

    public void Step(DonorInput input, Instant now)
    {
        _now = now;
        switch (input)
        {
            case PupilSaid m: OnSaid(m.From, m.Message); break;
            case PupilLinked m: if (Find(m.Pupil) is { } p) { p.Linked = true; Pump(p); } break;
            case PupilGone m: if (Find(m.Pupil) is { } gone) End(gone, $"its link is lost: {m.Why}"); break;
            case DonorEntered m: OnEntered(m); break;
            case DonorLeft: OnLeft(); break;
            case FeedingFrom m: OnFeedingFrom(m); break;
            case StepFed m: OnStepFed(m); break;
            case ChunksCopied m: OnChunksCopied(m); break;
            case SnapshotCopied m: OnSnapshotCopied(m); break;
            default: throw Invariant.Unhandled(input);
        }

        Settle();
    }

    /// <summary>Every deadline, and frames whose pause is over.</summary>
    public void Tick(Instant now)
    {
        _now = now;
        foreach (var pupil in _pupils.ToArray())
        {
            var isLate = pupil.UnderWay > 0 && now - pupil.SentAt >= clocks.LearnerChunk; // NextDue is that instant
            // The link of a member is not this transfer's to close.
            if (isLate && pupil.Status == PupilStatus.Finishing) End(pupil, "it is a member, and takes no frame");
            else if (isLate)
                Drop(pupil, $"it took no frame for {clocks.LearnerChunk.TotalSeconds:0.#} s");
            else if (pupil.Lease is { } lease && now - lease.Since > LeaseTime(pupil, lease))
                EndLease(pupil, $"its lease of {LeaseTime(pupil, lease).TotalSeconds:0.#} s is over");
            else Pump(pupil);
        }

        Settle();
    }

    /// <summary>4.7: three times what the copy takes at the share of the link.</summary>
    private static TimeSpan LeaseTime(Pupil pupil, Lease lease)
    {
        var planned = 3 * (pupil.Pacer.TimeOf(lease.Frames.Bytes) ?? TimeSpan.Zero);
        return planned > LeaseMin ? planned : LeaseMin;
    }

    private Pupil? Find(Incarnation incarnation) => _pupils.Find(p => p.Incarnation == incarnation);

    private void Note(string text) => _outputs.Add(new DonorNote(text));

    private void Tell(Pupil pupil, IMessage message)
    {
        if (pupil.Linked) _outputs.Add(new TellPupil(pupil.Incarnation, message));
    }

    // ---- Who is fed ----

    private void OnSaid(Incarnation from, IMessage message)
    {
        if (message is FeedAsk ask) { OnFeedAsk(from, ask); return; }
        if ((Find(from) ?? (message is NeedChunks ? JoinedAgain(from) : null)) is not { } pupil)
        {
            Note($"{message.Descriptor.Name} of {from}, which is no learner here");
            return;
        }

        switch (message)
        {
            case FeedEnds m: End(pupil, $"it says: {m.Reason}"); break;
            case SnapAsk m: OnSnapAsk(pupil, m); break;
            case SnapGet m: OnSnapGet(pupil, m); break;
            case SnapEnds m: OnSnapEnds(pupil, m); break;
            case NeedChunks m: OnNeedChunks(pupil, m); break;
            case ChunkHeard m: OnHeard(pupil, m); break;
            default: throw Invariant.Unhandled(message);
        }
    }

    /// <summary>
    /// What another member owed to a joiner went with that member, and was nothing to this one when it let it go.
    /// </summary>
    private Pupil? JoinedAgain(Incarnation from)
    {
        var at = _joined.FindIndex(j => j.Incarnation == from);
        if (at < 0) return null;
        var pupil = Add(_joined[at].Id, from);
        (pupil.Linked, pupil.Target) = (true, _start);
        Become(pupil, PupilStatus.Finishing);
        return pupil;
    }

    private void OnFeedAsk(Incarnation from, FeedAsk m)
    {
        if (m.Generation > _generation.Value && _early.Count < Limits.WorkersMax)
        {
            _early.Add((from, m));
            return;
        }

        if (m.Generation != _generation.Value)
        {
            Note($"FeedAsk of w{m.From}: of g{m.Generation}, this worker is in {_generation}");
            return;
        }

        var pupil = Find(from) ?? Add(new WorkerId(m.From), from);
        pupil.Linked = true;
        pupil.Asked = true;
        _feeding = true;
        _outputs.Add(new KeepFeeding(true)); // answers with the state from which it feeds
    }

    private Pupil Add(WorkerId id, Incarnation incarnation)
    {
        var pupil = new Pupil(id, incarnation, SharePacer.LearnersShare);
        _pupils.Add(pupil);
        return pupil;
    }

    private void OnFeedingFrom(FeedingFrom m)
    {
        if (m.Generation != _generation) return;
        _applied = m.State;
        foreach (var pupil in _pupils)
        {
            if (pupil.Status == PupilStatus.Known) Become(pupil, PupilStatus.Feeding);
            if (!pupil.Asked) continue;
            pupil.Asked = false;
            Tell(pupil, new FeedBegins { Generation = _generation.Value, Step = m.State.Value, StepUs = m.StepUs });
        }
    }

    private void OnEntered(DonorEntered m)
    {
        (_generation, _start) = (m.Generation, m.Start);
        _joined.Clear();
        foreach (var pupil in _pupils.ToArray())
        {
            var joins = m.Members.Any(x => x.Incarnation == pupil.Incarnation.Value);
            if (joins && pupil.Status == PupilStatus.Feeding)
            {
                pupil.Target = m.Start;
                _joined.Add((pupil.Id, pupil.Incarnation));
                Become(pupil, PupilStatus.Finishing);
            }
            else if (joins || m.Learners.All(x => x.Incarnation != pupil.Incarnation.Value))
                End(pupil, $"{m.Generation} has it as no learner");
        }

        foreach (var learner in m.Learners)
            if (Find(new Incarnation(learner.Incarnation)) is null)
                Add(new WorkerId(learner.WorkerId), new Incarnation(learner.Incarnation));
        foreach (var pupil in _pupils.ToArray()) Pump(pupil);
        // The device has forgotten what it was asked for in the generation before.
        _copying = false;
        AskForCopy();
        _feeding = _pupils.Count > 0;
        if (_feeding) _outputs.Add(new KeepFeeding(true));
        var early = _early.ToArray();
        _early.Clear();
        foreach (var (from, ask) in early) OnFeedAsk(from, ask);
    }

    private void OnLeft()
    {
        _joined.Clear();
        // Its links go too, and the members that stay feed on: that is no end of the learner's making.
        foreach (var pupil in _pupils.ToArray()) End(pupil, "this worker is no member any more");
    }

    private void Drop(Pupil pupil, string why)
    {
        Tell(pupil, new FeedEnds { Reason = why });
        _outputs.Add(new DropPupil(pupil.Incarnation, why));
        End(pupil, why);
    }

    private void End(Pupil pupil, string why)
    {
        Become(pupil, PupilStatus.Gone);
        _pupils.Remove(pupil);
        // What is under way may still be read by its link.
        foreach (var record in pupil.Records) record.Release();
        pupil.Records.Clear();
        Note($"{pupil.Id} is fed no more: {why} (link {pupil.Pacer.LinkBytesPerSecond / 1e6:0} MB/s)");
    }

    // What follows from who is left: leases without a user end, and so does the copying of every step.
    private void Settle()
    {
        _leases.RemoveAll(l => !_pupils.Exists(p => p.Lease == l));
        Invariant.Check(_leases.Count <= CopiesMax, "J5 copies of the state have a bound");
        var share = SharePacer.LearnersShare / Math.Max(1, _pupils.Count);
        foreach (var pupil in _pupils) pupil.Pacer.Share = share * (1 + ((HurryMost - 1) * BehindOf(pupil)));
        if (!_feeding || _pupils.Count > 0) return;
        _feeding = false;
        _outputs.Add(new KeepFeeding(false));
    }

    /// <summary>0: nothing waits for it; 1: two steps of this worker's part, of some size, or more.</summary>
    private static double BehindOf(Pupil pupil) =>
        Math.Min(1, pupil.QueuedBytes / (2.0 * Math.Max(pupil.LargestStep, HurryBytesMin)));

    private static void Become(Pupil pupil, PupilStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, pupil.Status, next),
            $"no transition from {pupil.Status} to {next}");
        pupil.Status = next;
    }
}
