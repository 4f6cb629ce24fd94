using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Worker.Learning;

// Rows 5 to 7 and 9: steps are applied as members apply them, and how far behind that is.
internal sealed partial class LearnerProtocol
{
    private int _levelSteps;
    private int _closeSteps;
    private int _stepsSince;
    private long _lagBefore;
    private Instant _appliedAt;
    private Instant _reportedAt;
    private Instant _dialledAt;
    private StepNumber _askedFor = new(-1); // a hole, once
    private Instant _pieceAt;               // of the next step, or nothing was to come
    private StepNumber _lateStep = new(-1); // it was asked for at the deadline

    private void BecomeReplaying()
    {
        Become(LearnerStatus.Replaying);
        (_levelSteps, _closeSteps, _lagBefore, _stepsSince) = (0, 0, Lag, 0);
        (_appliedAt, _pieceAt) = (_now, _now);
        Report();
        Continue();
    }

    /// <summary>What can be done now is done.</summary>
    private void Continue()
    {
        if (Status == LearnerStatus.Admitted) { BeginFromWhatIsHere(); return; }
        if (!HasState || _applying) return;
        if (Status == LearnerStatus.Finishing && _state == _target) { Finish(); return; }
        if (_steps.Whole(_state.Next) is not { } expected) return;
        _applying = true;
        _outputs.Add(new ApplyFed(_state.Next, expected));
    }

    private void Finish()
    {
        Become(LearnerStatus.Idle);
        _outputs.Add(new FinishReached(_finish));
        Restart(takesMore: false);
        _teachers.Clear();
        _loads = 0;
    }

    private void OnPieceIn(PieceIn m)
    {
        if (m.Epoch == _epoch && m.Piece.Step <= _state.Next) _pieceAt = _now;
        if (m.Epoch != _epoch || m.Piece.Step <= _state || !(Learns || Status == LearnerStatus.Finishing)) return;
        if (Find(m.From) is { } teacher && m.Piece.Step > teacher.NewestPiece) teacher.NewestPiece = m.Piece.Step;
        if (_load is { } load && m.Piece.Step <= load.Step) return;
        if (_steps.Add(m.Piece) is { } other)
            Fail(LearnerPhase.Broken,
                $"members name two histories at step {m.Piece.Step}: {other} and {m.Piece.Fingerprint} (M6)");
    }

    private void OnFeedFrameIn(FeedFrameIn m)
    {
        if (Find(m.From) is { } teacher) teacher.HeardAt = _now;
        if (m.Newest > _newest) _newest = m.Newest;
        Continue();
        CheckHole();
    }

    // A member's pieces come in the order of steps, so what all of them have passed comes by itself no more.
    private void CheckHole()
    {
        var next = _state.Next;
        if (!HasState || _applying || next <= _askedFor || _steps.Whole(next) is not null) return;
        for (var i = 0; i < _teachers.Count; i++)
        {
            var (from, end) = FeedRecord.PartOf(Elements, i, _teachers.Count);
            if (from < end && _teachers[i].NewestPiece <= next) return;
        }

        _askedFor = next;
        Need(next, 0, Elements);
    }

    // Whoever should send it may have gone, may not know that it should, or may never have heard that it was asked to.
    // When nobody speaks at all, members are asked whether they feed: their answer says whether something is missing.
    private void CheckPieces()
    {
        if (!HasState) return;
        if (_applying) { _pieceAt = _now; return; }
        var patience = clocks.LearnerPiece + (4 * StepTime);
        if (_now - _pieceAt <= patience) return;
        _pieceAt = _now;
        var next = _state.Next;
        if (Lag == 0)
        {
            foreach (var teacher in _teachers) AskForFeed(teacher);
            return;
        }

        var why = $"no piece of step {next} came within {patience.TotalSeconds:0.#} s; missing: {Lacks(next)}";
        if (_lateStep >= next) { LoadAgain(why); return; }
        _lateStep = next;
        Note($"{why}; it is asked for again");
        Need(next, 0, Elements);
    }

    private string Lacks(StepNumber step)
    {
        var lacks = _teachers.Where(t =>
        {
            var (from, end) = FeedRecord.PartOf(Elements, t.Index, _teachers.Count);
            return !_steps.Covers(step, from, end);
        }).Select(t => $"w{t.Member.WorkerId}'s part");
        return string.Join(", ", lacks);
    }

    private void OnFeedBroken(FeedBroken m) => FallBehind($"the feed of {m.From} cannot be taken: {m.Why}");

    private void OnApplied(FedApplied m)
    {
        if (m.Step != _state.Next) return;
        (_state, Fingerprint) = (m.Step, m.Fingerprint); // the device has done it, whatever is wanted now
        if (!_applying) return;
        _applying = false;
        if (_newest < _state) _newest = _state;
        _steps.Forget(_state);
        _outputs.Add(new ForgetSteps(_state));
        if (Status != LearnerStatus.Finishing) Judge();
        (_appliedAt, _pieceAt) = (_now, _now);
        Continue();
    }

    private void Judge()
    {
        _levelSteps = IsNear ? _levelSteps + 1 : 0;
        _closeSteps = IsClose ? _closeSteps + 1 : 0;
        if (Status == LearnerStatus.Replaying && (_levelSteps >= LevelSteps || _closeSteps >= GrowthSteps))
        {
            Become(LearnerStatus.Level);
            _loads = 0;
            Report();
        }
        else if (Status == LearnerStatus.Level && !IsClose)
        {
            FallBack();
        }

        if (++_stepsSince < GrowthSteps) return;
        // As far behind as before, after twenty steps of its own: what is fed in a second is less than what is made.
        if (Status == LearnerStatus.Replaying && Lag > _lagBefore && Lag > GrowthSteps / 2)
            FallBehind($"it was {_lagBefore} steps behind, and {Lag} after {GrowthSteps} steps more");
        (_stepsSince, _lagBefore) = (0, Lag);
    }

    /// <summary>A step behind, or so few that they take a moment.</summary>
    private bool IsNear => Lag <= 1 || Lag * StepTime <= Moment;

    /// <summary>
    /// Near enough to stay level: a feed at the pace of the members is one step or two behind, by turns. So much goes
    /// through a link at full speed while they stand at the fence.
    /// </summary>
    private bool IsClose => Lag <= CloseLag || IsNear;

    private TimeSpan StepTime =>
        TimeSpan.FromMicroseconds(_teachers.Count == 0 ? 0 : _teachers.Max(t => t.StepUs));

    private void FallBack()
    {
        Become(LearnerStatus.Replaying);
        (_levelSteps, _closeSteps, _stepsSince, _lagBefore) = (0, 0, 0, Lag);
        Report();
    }

    private void FallBehind(string why)
    {
        if (Learns && Status != LearnerStatus.Admitted) Fail(LearnerPhase.TooSlow, why);
        else if (Status == LearnerStatus.Finishing) LoadAgain(why);
    }

    // A disk that loses what it was given is no other history: the state is sound, and copied anew.
    private void OnUnreadable(FedUnreadable m)
    {
        if (!_applying || m.Step != _state.Next) return;
        LoadAgain(m.Why);
    }

    private void OnDiffers(FedDiffers m)
    {
        if (!_applying || m.Step != _state.Next) return;
        _applying = false;
        _coldOnly = true;
        var text =
            $"at step {m.Step} the members have {m.Theirs}, the learner of state {_state} comes to {m.Ours} (J2)";
        if (Status != LearnerStatus.Finishing) { Fail(LearnerPhase.Broken, text); return; }
        _outputs.Add(new FinishFailed(_finish, text));
        _outputs.Add(new DropState());
        OnGiveUp(text);
    }

    private void Fail(LearnerPhase phase, string why)
    {
        Note($"fails: {why}");
        if (phase == LearnerPhase.Broken) { _coldOnly = true; _outputs.Add(new DropState()); }
        if (Status == LearnerStatus.Finishing) { LoadAgain(why); return; }
        foreach (var teacher in _teachers) Tell(teacher, new FeedEnds { Reason = why });
        Become(LearnerStatus.Failed);
        SendReport(phase, why);
        Restart(takesMore: false);
    }

    // ---- What the coordinator is told ----

    private void Report()
    {
        var phase = Status switch
        {
            LearnerStatus.Admitted or LearnerStatus.Loading => LearnerPhase.Loading,
            LearnerStatus.Replaying => LearnerPhase.Replaying,
            LearnerStatus.Level => LearnerPhase.Level,
            _ => LearnerPhase.Unspecified,
        };
        if (phase != LearnerPhase.Unspecified) SendReport(phase, "");
    }

    private void SendReport(LearnerPhase phase, string text)
    {
        _reportedAt = _now;
        var seconds = StepTime.TotalSeconds;
        _outputs.Add(new TellLeader(new LearnerReport
        {
            Generation = _generation.Value, Phase = phase, Step = _state.Value, Fingerprint = Fingerprint.Value,
            Lag = Lag, BytesLeft = BytesLeft, EtaMs = Eta(), Text = text,
            NeededBytesPerSecond = phase == LearnerPhase.TooSlow && seconds > 0
                ? (long)(Elements * sizeof(float) / seconds) : 0,
        }));
    }

    // By what the load has brought so far; later it is as many steps as are left.
    private long Eta()
    {
        if (_load is not { } load) return (long)(Lag * StepTime.TotalMilliseconds);
        var here = load.Here.Length - load.Left;
        return here == 0 ? 0 : (long)((_now - _askedAt).TotalMilliseconds * load.Left / here);
    }

    /// <summary>Reports, and everything that has a deadline. Called every few tens of milliseconds.</summary>
    public void Tick(Instant now)
    {
        _now = now;
        CheckPieces();
        if (!Learns) return;
        if (now - _reportedAt >= clocks.Beat) Report();
        if (now - _dialledAt >= clocks.Dead && _teachers.Exists(t => !t.Linked))
        {
            _dialledAt = now;
            _outputs.Add(new LinkTeachers([.. _teachers.Select(t => t.Member)]));
        }

        if (Status == LearnerStatus.Level && !IsClose && now - _appliedAt > clocks.Beat) FallBack();
        // An ask may be lost with a link, and donors may be slow; bounded by the number of loads.
        var patience = AskTime + (4 * StepTime) + (60 * StepTime * (_copyAsked ? 1 : 0));
        if (Status == LearnerStatus.Admitted && now - _askedAt > patience)
        {
            LoadAgain($"no answer of the members within {patience.TotalSeconds:0.#} s");
            return;
        }

        foreach (var donor in _teachers.ToArray())
        {
            if (!donor.IsDonor || donor.Asked.Count == 0 || now - donor.HeardAt <= clocks.LearnerChunk) continue;
            LoseDonor(donor, $"it sent no frame for {clocks.LearnerChunk.TotalSeconds:0.#} s");
            if (Status != LearnerStatus.Loading) return;
        }
    }
}
