using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Worker.Learning;

// A worker that becomes level with the members while they train, and stays so: a joiner, or a spare. It copies a state
// of one boundary from donors, is fed with every step after it, applies them as a member would and compares H. Pure:
// messages and time in, orders out; the numbers lie in LearnerMemory.
// J1  A learner contributes to no sum and no vote: it sends nothing but what is in learning.proto.
// J2  It is level, and a member, only with the H that its members have.
// J3  All frames of one load are of the same (t0, H_t0, digest).
// J4  Members never wait for it: they send what they have copied, and it takes it or is let go.
internal enum LearnerStatus
{
    Idle,      // no members are known, or this worker is one
    Admitted,  // members are known; links, feeds and a copy are asked for
    Loading,   // frames of the copy of t0 come; steps after t0 wait
    Replaying, // it has a state and applies what it is fed
    Level,     // at most one step, or a moment, behind for three steps, or three for twenty; until it is further behind
    Finishing, // a member: it applies the rest up to the start state while the members stand at it
    Failed,    // too slow, or other bits: the coordinator knows
}

internal sealed partial class LearnerProtocol(WorkerId me, ClockTable clocks)
{
    public static readonly (LearnerStatus From, LearnerStatus To, string On)[] Transitions =
    [
        (LearnerStatus.Idle, LearnerStatus.Admitted, "Learn"),
        (LearnerStatus.Failed, LearnerStatus.Admitted, "Learn of a newer generation"),
        (LearnerStatus.Admitted, LearnerStatus.Loading, "SnapOffer"),
        (LearnerStatus.Admitted, LearnerStatus.Replaying, "its own state is recent enough"),
        (LearnerStatus.Loading, LearnerStatus.Replaying, "all frames are here, the digest is the donor's"),
        (LearnerStatus.Loading, LearnerStatus.Admitted, "no donor of this copy is left, or members cannot be followed"),
        (LearnerStatus.Replaying, LearnerStatus.Level,
            "at most a step or a moment behind for three steps, or three steps for twenty"),
        (LearnerStatus.Replaying, LearnerStatus.Admitted, "a piece is kept by nobody any more, or does not come"),
        (LearnerStatus.Level, LearnerStatus.Replaying, "it falls more than three steps behind"),
        (LearnerStatus.Level, LearnerStatus.Admitted, "a piece is kept by nobody any more, or does not come"),
        (LearnerStatus.Replaying, LearnerStatus.Finishing, "Open with it as a member"),
        (LearnerStatus.Level, LearnerStatus.Finishing, "Open with it as a member"),
        (LearnerStatus.Admitted, LearnerStatus.Finishing, "Open with it as a member, its state is the start state"),
        (LearnerStatus.Loading, LearnerStatus.Finishing, "Open with it as a member, its state is the start state"),
        (LearnerStatus.Finishing, LearnerStatus.Idle, "the start state is reached, or given up"),
        (LearnerStatus.Failed, LearnerStatus.Idle, "the worker does something else"),
        .. FromAllThatLearn(LearnerStatus.Idle, "the worker does something else"),
        .. FromAllThatLearn(LearnerStatus.Failed, "too slow, or H differs"),
    ];

    private static IEnumerable<(LearnerStatus From, LearnerStatus To, string On)> FromAllThatLearn(
        LearnerStatus to, string on) =>
        [
            (LearnerStatus.Admitted, to, on), (LearnerStatus.Loading, to, on),
            (LearnerStatus.Replaying, to, on), (LearnerStatus.Level, to, on),
        ];

    private const int LevelSteps = 3;
    private const int CloseLag = 3;
    private const int GrowthSteps = 20;
    private const int LoadsMax = 5;
    /// <summary>What members may be asked for of steps before their feed: both vectors of reduced gradients.</summary>
    private const int RetainedSteps = 2;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private readonly List<LearnerOutput> _outputs = [];
    private readonly List<Teacher> _teachers = []; // in the order of the members
    private readonly FedSteps _steps = new();
    private Instant _now;
    private Generation _generation;
    private StepNumber _start;                 // T of the generation
    private StepNumber _state = new(-1);
    private StepNumber _newest = new(-1);      // that a member has applied
    private bool _applying;
    private int _epoch;                        // what came before the last start counts no more
    private bool _coldOnly;                    // the own state did not help, or cannot be trusted
    private Generation _finish;
    private StepNumber _target;

    private sealed class Teacher(Member member, int index)
    {
        public Member Member => member;
        public Incarnation Incarnation { get; } = new(member.Incarnation);
        public int Index { get; set; } = index;
        public bool Linked { get; set; }
        public bool IsBroken { get; set; }    // its link was up and is lost
        public long? FedAfter { get; set; }   // its part of the steps after this one comes
        public long StepUs { get; set; }
        public bool IsDonor { get; set; }
        public List<int> Asked { get; } = []; // frames on their way
        public Instant HeardAt { get; set; }
        public StepNumber NewestPiece { get; set; } = new(-1);
    }

    public LearnerStatus Status { get; private set; }

    public Fingerprint Fingerprint { get; private set; }

    /// <summary>t of the state that it has learned; -1: none.</summary>
    public StepNumber State => _state;

    /// <summary>Elements of the flat vector; known once the job is open.</summary>
    public long Elements
    {
        get => _steps.Elements;
        set => _steps.Elements = value;
    }

    /// <summary>How a copy of the state comes; null: the job is not open yet.</summary>
    public SnapshotFrames? Frames { get; set; }

    public long Lag => Math.Max(0, _newest.Value - _state.Value);

    public IReadOnlyList<LearnerOutput> Drain()
    {
        var outputs = _outputs.ToArray();
        _outputs.Clear();
        return outputs;
    }

    public void Step(LearnerInput input, Instant now)
    {
        _now = now;
        switch (input)
        {
            case LearnFrom m: OnLearn(m); break;
            case FinishAt m: OnFinishAt(m); break;
            case GiveUpLearning m: OnGiveUp(m.Why); break;
            case TeacherSaid m: OnSaid(m); break;
            case TeacherLinked m: OnLinked(m.Teacher); break;
            case TeacherGone m: OnGone(m); break;
            case FrameIn m: OnFrameIn(m); break;
            case PieceIn m: OnPieceIn(m); break;
            case FeedFrameIn m: OnFeedFrameIn(m); break;
            case FeedBroken m: OnFeedBroken(m); break;
            case CopyTaken m: OnCopyTaken(m); break;
            case CopyRefused m: OnCopyRefused(m); break;
            case FedApplied m: OnApplied(m); break;
            case FedDiffers m: OnDiffers(m); break;
            case FedUnreadable m: OnUnreadable(m); break;
            default: throw Invariant.Unhandled(input);
        }
    }

    private bool Learns => Status is LearnerStatus.Admitted or LearnerStatus.Loading or LearnerStatus.Replaying
        or LearnerStatus.Level;

    private bool HasState => Status is LearnerStatus.Replaying or LearnerStatus.Level or LearnerStatus.Finishing;

    private Teacher? Find(Incarnation incarnation) => _teachers.Find(t => t.Incarnation == incarnation);

    private void Note(string text) => _outputs.Add(new LearnerNote(text));

    private void Tell(Teacher teacher, Google.Protobuf.IMessage message)
    {
        if (teacher.Linked) _outputs.Add(new TellTeacher(teacher.Incarnation, message));
    }

    // ---- Members ----

    private void OnLearn(LearnFrom m)
    {
        var generation = new Generation(m.Message.Generation);
        if (IgnoreLearn(generation) is { } reason) { Note($"Learn: {reason}"); return; }
        if (!Learns)
        {
            Restart(takesMore: true);
            (_state, Fingerprint) = _coldOnly ? (new StepNumber(-1), default) : (m.State, m.Fingerprint);
            _loads = 0;
            Become(LearnerStatus.Admitted);
            _askedAt = _now;
        }

        TakeMembers(generation, new StepNumber(m.Message.StartStep), m.Message.Members);
        _outputs.Add(new LinkTeachers([.. m.Message.Members]));
        foreach (var teacher in _teachers) AskForFeed(teacher);
        Report();
        Continue();
    }

    private string? IgnoreLearn(Generation generation) =>
        Status == LearnerStatus.Finishing ? "this worker is a member"
        : generation < _generation ? $"of {generation}, {_generation} is known"
        : generation == _generation && Status == LearnerStatus.Failed ? "it has failed in this generation"
        : generation == _generation && Learns ? "this generation is known"
        : Frames is null ? "the job is not open here"
        : null;

    /// <summary>Row 8: the feed goes on from the new members; what the lost ones did not send is asked for.</summary>
    private void TakeMembers(Generation generation, StepNumber start, IReadOnlyList<Member> members)
    {
        var before = _teachers.ToArray();
        _teachers.Clear();
        for (var i = 0; i < members.Count; i++)
        {
            var known = Array.Find(before, t => t.Incarnation.Value == members[i].Incarnation);
            var teacher = known ?? new Teacher(members[i], i);
            teacher.Index = i;
            if (generation != _generation && known is null) teacher.FedAfter = null;
            _teachers.Add(teacher);
        }

        // What the loads of another generation failed by was its members' doing.
        if (generation != _generation) _loads = 0;
        (_generation, _start) = (generation, start);
        if (_newest < start) _newest = start;
        foreach (var lost in before.Where(t => !_teachers.Contains(t))) LoseTeacher(lost, before.Length);
    }

    // Steps up to the start were cut among the members of before; nobody feeds the part of one that is gone.
    private void LoseTeacher(Teacher lost, int members)
    {
        LoseDonor(lost, "it is no member any more");
        if (!HasState && Status != LearnerStatus.Loading) return;
        var from = Math.Max(_state.Value, _load?.Step.Value ?? -1) + 1;
        var (first, end) = FeedRecord.PartOf(Elements, lost.Index, members);
        for (var step = from; step <= _start.Value && Status != LearnerStatus.Admitted; step++)
            if (!_steps.Covers(new StepNumber(step), first, end)) Need(new StepNumber(step), first, end);
    }

    private void Need(StepNumber step, long from, long end)
    {
        // Who was asked and did not answer is not asked again, if there is another one.
        if ((step == _lateStep ? _teachers.FindLast(IsLinked) : _teachers.Find(IsLinked)) is { } teacher)
            Tell(teacher, new NeedChunks { Step = step.Value, Offset = from, Count = end - from });
        else LoadAgain($"nobody is there who might keep step {step}");
    }

    private static bool IsLinked(Teacher teacher) => teacher.Linked;

    private void AskForFeed(Teacher teacher)
    {
        if (!Learns) return;
        Tell(teacher, new FeedAsk { Generation = _generation.Value, From = me.Value });
    }

    private void OnLinked(Incarnation who)
    {
        if (Find(who) is not { Linked: false } teacher) return;
        teacher.Linked = true;
        // What it sent while its link was away is lost, and what it kept for this worker went with the link.
        if (teacher.IsBroken && Learns && Status != LearnerStatus.Admitted)
            LoadAgain($"the link to w{teacher.Member.WorkerId} was lost");
        else AskForFeed(teacher);
        teacher.IsBroken = false;
    }

    // A member that died is missed by the coordinator too: the next Learn comes without it.
    private void OnGone(TeacherGone m)
    {
        if (Find(m.Teacher) is not { } teacher) return;
        (teacher.Linked, teacher.FedAfter, teacher.IsBroken) = (false, null, true);
        LoseDonor(teacher, m.Why);
    }

    private void OnSaid(TeacherSaid m)
    {
        if (Find(m.From) is not { } teacher)
        {
            Note($"{m.Message.Descriptor.Name} of {m.From}, which is no member");
            return;
        }

        teacher.HeardAt = _now;
        switch (m.Message)
        {
            case FeedBegins o: OnFeedBegins(teacher, o); break;
            case FeedEnds o: OnFeedEnds(teacher, o); break;
            case SnapOffer o: OnOffer(teacher, o); break;
            case SnapEnds o: LoseDonor(teacher, o.Reason); break;
            case ChunksGone o: OnChunksGone(teacher, o); break;
            default: throw Invariant.Unhandled(m.Message);
        }
    }

    private void OnFeedBegins(Teacher teacher, FeedBegins m)
    {
        if (m.Generation != _generation.Value) { Note($"FeedBegins of g{m.Generation}"); return; }
        teacher.StepUs = m.StepUs;
        teacher.FedAfter ??= m.Step;
        if (m.Step > _newest.Value) _newest = new StepNumber(m.Step);
        Continue();
    }

    private void OnFeedEnds(Teacher teacher, FeedEnds m)
    {
        teacher.FedAfter = null;
        // Another load would end as this one did: what is fed in a second is less than what is made.
        if (HasState || Status == LearnerStatus.Loading)
            FallBehind($"w{teacher.Member.WorkerId} feeds no more: {m.Reason}");
        LoseDonor(teacher, m.Reason);
    }

    private void OnChunksGone(Teacher teacher, ChunksGone m)
    {
        var needed = HasState ? m.Step > _state.Value : Status == LearnerStatus.Loading && m.Step > _load!.Step.Value;
        if (!needed) return;
        _coldOnly = true;
        LoadAgain($"w{teacher.Member.WorkerId} does not keep step {m.Step} any more");
    }

    // ---- Becoming a member, and ends ----

    private void OnFinishAt(FinishAt m)
    {
        // It was level when the coordinator chose it. A link that it has lost since then costs it the feed, not the
        // state: is that the start state, nothing is missing.
        var isThere = Learns && _state == m.Target && !_taking;
        if (!isThere && (Status is not (LearnerStatus.Replaying or LearnerStatus.Level) || _state > m.Target))
        {
            _outputs.Add(new FinishFailed(m.Generation,
                $"it is {Status} at state {_state}, {m.Generation} starts from {m.Target}"));
            OnGiveUp("it cannot reach the start state");
            return;
        }

        Become(LearnerStatus.Finishing);
        _pieceAt = _now;
        (_finish, _target) = (m.Generation, m.Target);
        TakeMembers(m.Generation, m.Target, [.. m.Members.Where(x => x.WorkerId != me.Value)]);
        Continue();
    }

    private void OnGiveUp(string why)
    {
        if (Status == LearnerStatus.Idle) return;
        Note($"learns no more: {why}");
        foreach (var teacher in _teachers) Tell(teacher, new FeedEnds { Reason = why });
        Become(LearnerStatus.Idle);
        Restart(takesMore: false);
        _teachers.Clear();
        _generation = default;
    }

    private void Become(LearnerStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, Status, next), $"no transition from {Status} to {next}");
        Status = next;
    }
}
