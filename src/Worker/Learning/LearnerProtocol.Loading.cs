using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Worker.Learning;

// Rows 1 to 4: a copy of one boundary, in stripes from donors that hold the same one.
internal sealed partial class LearnerProtocol
{
    private const int DonorsMax = 2;
    private const int StripeFrames = 8;
    private static readonly TimeSpan AskTime = TimeSpan.FromSeconds(10);

    private Load? _load;
    private int _loads;
    private bool _taking;
    private bool _copyAsked;
    private Instant _askedAt;

    private sealed class Load(StepNumber step, Fingerprint fingerprint, byte[] digest, int frames)
    {
        public StepNumber Step => step;
        public Fingerprint Fingerprint => fingerprint;
        public byte[] Digest => digest;
        public bool[] Here { get; } = new bool[frames];
        public int Left { get; set; } = frames;
        /// <summary>Frames that nobody was asked for, ascending.</summary>
        public List<int> Free { get; } = [.. Enumerable.Range(0, frames)];
    }

    /// <summary>Bytes of the copy that are still to come.</summary>
    private long BytesLeft => _load is { } load
        ? load.Left * (long)Frames!.FrameElements * sizeof(float)
        : _state.Value < 0 ? Frames?.Bytes ?? 0
        : Lag * Elements * sizeof(float);

    /// <summary>All members feed: is the own state a start, or is a copy needed?</summary>
    private void BeginFromWhatIsHere()
    {
        if (_copyAsked || _teachers.Count == 0 || _teachers.Exists(t => t.FedAfter is null)) return;
        var fedAfter = _teachers.Max(t => t.FedAfter!.Value);
        if (!_coldOnly && _state.Value >= 0 && _state.Value >= fedAfter - RetainedSteps)
        {
            _steps.Forget(_state);
            _outputs.Add(new ForgetSteps(_state));
            BecomeReplaying();
            foreach (var teacher in _teachers)
            {
                var (from, end) = FeedRecord.PartOf(Elements, teacher.Index, _teachers.Count);
                for (var step = _state.Value + 1; step <= teacher.FedAfter!.Value; step++)
                    Tell(teacher, new NeedChunks { Step = step, Offset = from, Count = end - from });
            }

            return;
        }

        // Donors copy at the same boundary when they hear of it before they reach it.
        var donors = Donors();
        var stepUs = donors.Max(t => t.StepUs);
        var ahead = donors.Count == 1 ? 0 : stepUs == 0 ? 2 : 1 + Math.Min(50, 100_000 / stepUs);
        (_copyAsked, _askedAt) = (true, _now);
        foreach (var donor in donors) Tell(donor, new SnapAsk { AtLeast = fedAfter + ahead });
    }

    private List<Teacher> Donors() =>
        [.. Enumerable.Range(0, Math.Min(DonorsMax, _teachers.Count))
            .Select(i => _teachers[(me.Value + _loads + i) % _teachers.Count])];

    private void OnOffer(Teacher donor, SnapOffer m)
    {
        if (IgnoreOffer(m) is { } reason)
        {
            Note($"SnapOffer of w{donor.Member.WorkerId}: {reason}");
            Tell(donor, new SnapEnds { Step = m.Step, Reason = reason });
            return;
        }

        if (Status == LearnerStatus.Admitted)
        {
            _load = new Load(new StepNumber(m.Step), new Fingerprint(m.Fingerprint), m.Digest.ToByteArray(),
                Frames!.Count);
            _outputs.Add(new BeginCopy(_load.Step));
            _steps.Forget(_load.Step);
            _outputs.Add(new ForgetSteps(_load.Step));
            Become(LearnerStatus.Loading);
            Report();
        }

        donor.IsDonor = true;
        AskForFrames(donor);
    }

    private string? IgnoreOffer(SnapOffer m) =>
        Status is not (LearnerStatus.Admitted or LearnerStatus.Loading) || !_copyAsked || _taking
            ? $"no copy is asked for in {Status}"
        : m.Elements != Frames!.Elements || m.Vectors != Frames.Vectors
            ? $"{m.Elements} elements in {m.Vectors} vectors, {Frames.Elements} in {Frames.Vectors} are needed here"
        : _load is { } load && (load.Step.Value != m.Step || load.Fingerprint.Value != m.Fingerprint
            || !m.Digest.Span.SequenceEqual(load.Digest)) ? $"of another state than {load.Step} (J3)"
        : null;

    private void AskForFrames(Teacher donor)
    {
        if (_load is not { } load || !donor.IsDonor || load.Free.Count == 0
            || donor.Asked.Count > StripeFrames / 4) return;
        var first = load.Free[0];
        var count = 1;
        while (count < StripeFrames && count < load.Free.Count && load.Free[count] == first + count) count++;
        if (donor.Asked.Count == 0) donor.HeardAt = _now;
        for (var i = 0; i < count; i++) donor.Asked.Add(first + i);
        load.Free.RemoveRange(0, count);
        Tell(donor, new SnapGet { Step = load.Step.Value, First = first, Count = count });
    }

    private void OnFrameIn(FrameIn m)
    {
        if (Find(m.From) is not { } donor) return;
        donor.HeardAt = _now;
        if (_load is not { } load || m.Epoch != _epoch || load.Step != m.Step || load.Here[m.Frame]) return;
        load.Here[m.Frame] = true;
        load.Left--;
        donor.Asked.Remove(m.Frame);
        if (load.Left == 0) EndLoad(load);
        else AskForFrames(donor);
    }

    private void EndLoad(Load load)
    {
        _taking = true;
        foreach (var donor in _teachers.Where(t => t.IsDonor))
        {
            Tell(donor, new SnapEnds { Step = load.Step.Value, Reason = "all of it is here" });
            donor.IsDonor = false;
            donor.Asked.Clear();
        }

        _outputs.Add(new TakeCopy(load.Step, load.Fingerprint, load.Digest));
    }

    private void OnCopyTaken(CopyTaken m)
    {
        if (Status != LearnerStatus.Loading || _load?.Step != m.Step || !_taking) return;
        (_load, _taking, _copyAsked) = (null, false, false);
        (_state, Fingerprint, _coldOnly) = (m.Step, m.Fingerprint, false);
        BecomeReplaying();
    }

    private void OnCopyRefused(CopyRefused m)
    {
        if (Status != LearnerStatus.Loading || _load?.Step != m.Step) return;
        LoadAgain(m.Why);
    }

    /// <summary>Row 3: the rest comes from another donor of the same copy, or everything anew.</summary>
    private void LoseDonor(Teacher donor, string why)
    {
        var was = donor.IsDonor;
        donor.IsDonor = false;
        if (_load is { } load && !_taking)
        {
            load.Free.AddRange(donor.Asked);
            load.Free.Sort();
        }

        donor.Asked.Clear();
        if (Status == LearnerStatus.Admitted && _copyAsked && !_teachers.Exists(t => t.IsDonor)) _copyAsked = false;
        if (!was || Status != LearnerStatus.Loading || _taking) return;
        Note($"w{donor.Member.WorkerId} lends no more: {why}");
        var others = _teachers.FindAll(t => t.IsDonor);
        if (others.Count == 0) LoadAgain($"no other donor has step {_load!.Step}");
        else foreach (var other in others) AskForFrames(other);
    }

    /// <summary>Back to Admitted: another copy, with feeds that begin before it. Bounded.</summary>
    private void LoadAgain(string why)
    {
        if (!Learns)
        {
            if (Status != LearnerStatus.Finishing) return;
            _outputs.Add(new FinishFailed(_finish, why));
            OnGiveUp(why);
            return;
        }

        Note($"begins anew: {why}");
        if (++_loads >= LoadsMax) { Fail(LearnerPhase.TooSlow, $"{_loads} loads did not end: {why}"); return; }
        Restart(takesMore: true);
        _askedAt = _now;
        if (Status != LearnerStatus.Admitted) Become(LearnerStatus.Admitted);
        foreach (var teacher in _teachers) AskForFeed(teacher);
        Report();
    }

    private void Restart(bool takesMore)
    {
        (_load, _taking, _copyAsked, _applying) = (null, false, false, false);
        (_levelSteps, _closeSteps, _lagBefore, _stepsSince) = (0, 0, 0, 0);
        (_askedFor, _lateStep) = (new StepNumber(-1), new StepNumber(-1));
        _steps.Clear();
        _outputs.Add(new ClearMemory(++_epoch, takesMore));
        foreach (var teacher in _teachers)
        {
            teacher.IsDonor = false;
            teacher.FedAfter = null;
            teacher.Asked.Clear();
            teacher.NewestPiece = new StepNumber(-1);
        }
    }
}
