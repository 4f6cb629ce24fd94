using Convoy.Actors.Remoting.Detection;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Membership;

// Who is there: Hello, links, beats, suspicions, and what counts as lost.
internal sealed partial class MembershipProtocol
{
    /// <summary>Losses inside the flapping window that put a worker into quarantine.</summary>
    private const int FlapLosses = 3;

    private Instant _tickedAt;
    private Instant? _coalesceAt;
    private readonly List<string> _lossTexts = [];
    private readonly List<(Hello Hello, Instant Since)> _rivals = [];

    private void OnHello(Hello m)
    {
        if (RefuseHello(m) is { } reason)
        {
            SendRefuse(m, reason);
            return;
        }

        _rivals.RemoveAll(r => r.Hello.WorkerName == m.WorkerName);
        if (OtherOfThisName(m) is { } other)
        {
            // A process that was just killed may not be missed yet: its successor waits until that is certain.
            _out.Note($"{m.WorkerName} of {m.Host} waits: {other} is connected by another process");
            _rivals.Add((m, _now));
            return;
        }

        var worker = _workers.Find(m.WorkerName) ?? Register(m.WorkerName);
        var same = worker.Connected && worker.Incarnation.Value == m.Incarnation;
        if (same && worker.Farewell && m.JobId.Length == 0)
        {
            // Its job let it go and it stayed: it begins as if it had just come.
            Lose(worker, "it is free again", charged: false);
            same = false;
        }

        if (worker.Connected && !same) Lose(worker, "restarted", charged: !worker.Farewell);
        // A worker may have seen a number that this journal does not know: never tell it a lower one (M2).
        if (m.GenerationSeen > _highest.Value) _highest = new Generation(m.GenerationSeen);
        if (same)
        {
            OnSignOfLife(worker);
            // It was let go and came to rest at a later step than its last Hello told; a member's word is Fenced.
            if (SeatOf(worker) is null) worker.Keep(m, _job?.JobId ?? "");
        }
        else
        {
            _workers.Begin(worker, m, _now, _detection, _job?.JobId ?? "");
        }

        _out.Send(worker, new Welcome { WorkerId = worker.Id.Value, LeaderToken = _token.Value });
        if (same) return;
        _out.Note($"{worker} joined the cluster from {m.Host} pid {m.Pid}, dial it at {m.PeerAddress}");
        SeatFound(worker, m);
        // It waits in a generation that is over, or that goes on without it: it hears so, and comes once more.
        if (worker.Kept.HasState && IsLeftBehind(worker)) worker.MayReturnUntil = _now + _clocks.Form;
        // The job never hears of who must go: what such a worker says is of another job, whose generations have the
        // same numbers.
        if (ReleaseOfOver(worker) || ReleaseOrphan(worker)) return;
        _out.Raise(new WorkerAdmitted(worker.Id, worker.Incarnation, worker.Name));
        // A replacement that was still starting when the job ended: nothing will come that it could wait for.
        if (_last is { } end) Release(worker, (ExitCode)end.ExitCode, end.Reason);
    }

    private string? RefuseHello(Hello m)
    {
        if (m.WorkerName.Length == 0) return "a worker needs a name";
        if (_workers.Find(m.WorkerName) is { Barred: true } barred && barred.Incarnation.Value == m.Incarnation)
            return "its state contradicted the majority's: start the process anew";
        if (m.TokenSeen > _token.Value)
            return $"this worker follows a newer coordinator (k{m.TokenSeen}, here {_token})";
        return _workers.Find(m.WorkerName) is null && _workers.All.Count >= Limits.WorkersMax
            ? $"the cluster has {Limits.WorkersMax} workers, no more fit"
            : null;
    }

    private void SendRefuse(Hello m, string reason)
    {
        _out.Note($"refused {m.WorkerName} of {m.Host}: {reason}");
        _out.SendTo(new Incarnation(m.Incarnation), new Refuse { Reason = reason });
        _out.Disconnect(new Incarnation(m.Incarnation), reason);
    }

    private WorkerRecord? OtherOfThisName(Hello m) =>
        _workers.Find(m.WorkerName) is { Connected: true, LinkUp: true, Farewell: false } known
        && known.Incarnation.Value != m.Incarnation && Status != MembershipStatus.Closed ? known : null;

    /// <summary>
    /// Two processes, one name: the second one is admitted when the first is lost, refused when it speaks on.
    /// </summary>
    private void CheckRivals()
    {
        foreach (var (hello, since) in _rivals.ToList())
        {
            if (OtherOfThisName(hello) is not { } first)
            {
                _rivals.Remove((hello, since));
                OnHello(hello);
            }
            else if (first.HeardAt >= since + _clocks.Dead)
            {
                _rivals.Remove((hello, since));
                SendRefuse(hello, $"a worker named {first.Name} is connected from {first.Host} pid {first.Pid}: "
                    + "give this one another --name");
            }
        }
    }

    private WorkerRecord Register(string name)
    {
        var worker = _workers.Register(name);
        _out.Persist(new WorkerRegistered(worker.Id, name));
        return worker;
    }

    /// <summary>False for a process that was replaced or let go; what it says changes nothing.</summary>
    private bool Hears(FromWorker said)
    {
        if (_workers.Find(said.Worker) is not { } worker || worker.Incarnation != said.Incarnation)
        {
            if (said.Message is not Beat)
                _out.Note($"ignored {said.Message.Descriptor.Name} of {said.Worker}: another process has its place");
            return false;
        }

        if (!worker.Connected)
        {
            Remind(worker, said);
            return false;
        }

        if (said.Message is Beat) worker.Detector.OnBeat(_now);
        else worker.Detector.OnHeard(_now);
        return true;
    }

    private void OnSignOfLife(WorkerRecord worker)
    {
        worker.LinkUp = true;
        worker.Detector.OnHeard(_now);
    }

    /// <summary>It was let go but has not heard so: it is told again, once in a while.</summary>
    private void Remind(WorkerRecord worker, FromWorker said)
    {
        if (said.Message is not Beat)
            _out.Note($"ignored {said.Message.Descriptor.Name} of {said.Worker}: it was let go and must say Hello");
        if (worker.Farewell || _now < worker.RemindAt) return;
        worker.RemindAt = _now + _clocks.Dead;
        SendEvict(worker, "it was taken for lost", mayRejoin: !worker.Barred);
    }

    private void OnBeat(WorkerRecord worker, Beat m)
    {
        // Whoever speaks is linked: the beat may overtake the news of a restored link.
        worker.LinkUp = true;
        worker.LastBeat = m;
        Heard(worker, m.Generation, m.Step);
        ReportWaits(worker, m);
        if (IsLeftBehind(worker) && _now >= worker.RemindAt)
            SendEvict(worker, $"{new Generation(m.Generation)} goes on without it", mayRejoin: !worker.Barred);
    }

    /// <summary>
    /// Whom a member waits for is silent there too: with its own lateness here, two such voices are enough.
    /// </summary>
    private void ReportWaits(WorkerRecord witness, Beat m)
    {
        if (m.OperationMs < _clocks.Beat.TotalMilliseconds || m.Generation != Generation.Value || !IsMember(witness))
            return;
        foreach (var about in m.WaitsOn) _workers.Find(new WorkerId(about))?.Detector.OnReport(witness.Name, _now);
    }

    /// <summary>
    /// It was lost and is linked again, but has not heard so: it waits in a generation that it is no member of.
    /// </summary>
    private bool IsLeftBehind(WorkerRecord worker) =>
        _job is not null && worker.LastBeat.InGeneration && !worker.Farewell && !IsMember(worker);

    private void OnLinkLost(LinkLost m)
    {
        if (_workers.Find(m.Incarnation) is not { } worker) return;
        if (m.Final || worker.Farewell || Status == MembershipStatus.Closed)
        {
            Lose(worker, m.Evidence, charged: !worker.Farewell);
            return;
        }

        if (!worker.LinkUp) return;
        (worker.LinkUp, worker.LinkDownAt, worker.LinkEvidence) = (false, _now, m.Evidence);
    }

    private void OnLinkRestored(LinkRestored m)
    {
        if (_workers.Find(m.Incarnation) is { } worker) OnSignOfLife(worker);
    }

    private void OnProcessExited(ProcessExited m)
    {
        if (_workers.Find(m.WorkerName) is not { Connected: true } worker) return;
        Lose(worker, $"its process ended with code {m.ExitCode}", charged: !worker.Farewell);
    }

    private void OnWorkerFailed(WorkerRecord worker, WorkerFailed m) =>
        Lose(worker, $"failed: {m.Text}", charged: true);

    private void OnWorkerHangs(WorkerHangs m)
    {
        if (_workers.Find(m.Worker) is { Connected: true } worker && worker.Incarnation == m.Incarnation
            && IsMember(worker))
            LetGo(worker, m.Text, mayRejoin: true);
    }

    private void OnStale(WorkerRecord worker, Stale m)
    {
        _out.Note($"{worker} refused a stale message; it has seen k{m.TokenSeen} g{m.GenerationSeen}");
        if (m.TokenSeen <= _token.Value) return;
        _out.Raise(new LeadershipLost(m.TokenSeen));
        if (Status != MembershipStatus.Closed) Become(MembershipStatus.Closed);
    }

    private void OnSuspect(WorkerRecord worker, Suspect m)
    {
        if (IgnoreSuspect(worker, m) is { } reason)
        {
            _out.Note($"ignored Suspect of {worker}: {reason}");
            return;
        }

        _out.Note($"{worker} suspects w{m.About}: {m.Evidence}");
        _suspicions.Add(worker.Id, new WorkerId(m.About), _now);
        _workers[new WorkerId(m.About)].Detector.OnReport(worker.Name, _now);
    }

    private string? IgnoreSuspect(WorkerRecord worker, Suspect m) =>
        m.Generation != Generation.Value ? $"of g{m.Generation}, {Generation} is open"
        : _workers.Find(new WorkerId(m.About)) is not { } about ? "of an unknown worker"
        : about.Incarnation.Value != m.AboutIncarnation ? "of a process that is gone already"
        : !IsMember(worker) || !IsMember(about) ? "between workers that are no members"
        : null;

    /// <summary>
    /// A coordinator that was stopped or starved has not read what the workers sent meanwhile: its own pause is no
    /// silence of theirs.
    /// </summary>
    private void ForgiveOwnPause()
    {
        var pause = _now - _tickedAt;
        if (_tickedAt != Instant.Zero && pause > _clocks.Beat)
        {
            foreach (var worker in _workers.All)
            {
                worker.Detector.OnOwnPause(pause, _now);
                if (!worker.LinkUp) worker.LinkDownAt = Earlier(worker.LinkDownAt + pause, _now);
            }
        }

        _tickedAt = _now;
    }

    private static Instant Earlier(Instant a, Instant b) => a < b ? a : b;

    /// <summary>
    /// 4.2 row 2: closed and not back within the grace, or so silent that it must be dead. Says whether anybody is here
    /// who is no member.
    /// </summary>
    private bool CheckPresence()
    {
        var outsiders = false;
        foreach (var worker in _workers.All)
        {
            if (!worker.Connected) continue;
            if (!worker.LinkUp && _now - worker.LinkDownAt >= _clocks.Confirm)
                Lose(worker, worker.LinkEvidence, charged: !worker.Farewell);
            else if (worker.LinkUp && Silence(worker) is { IsDead: true } verdict)
                LoseSilent(worker, verdict.Reason);
            else outsiders |= worker.QuarantinedUntil > _now || !IsMember(worker);
        }

        return outsiders;
    }

    /// <summary>
    /// False inside a tick that saw members only: then nobody need be looked for among very many. Whoever comes in the
    /// same tick is not prepared yet.
    /// </summary>
    private bool _mayHaveOutsiders = true;

    /// <summary>Nobody waits on a worker that is no member: it may take its time to start and to compile.</summary>
    private PeerVerdict Silence(WorkerRecord worker)
    {
        if (IsMember(worker)) return worker.Detector.Decide(_now);
        var silence = _now - worker.HeardAt;
        return silence > 5 * _clocks.Dead + _clocks.Stall
            ? new PeerVerdict(true, $"silent for {silence.TotalMilliseconds:0} ms") : default;
    }

    private void LoseSilent(WorkerRecord worker, string reason)
    {
        worker.MayReturnUntil = _now + _clocks.Form;
        Lose(worker, reason, charged: !worker.Farewell);
    }

    private void CheckSuspicions()
    {
        // A dead end is found within dead by its own link or its silence: only then is a link between workers to blame.
        var broken = _suspicions.Broken(_workers, _clocks.Dead);
        if (broken.Count == 0) return;
        var links = string.Join(", ", broken.Select(l => $"{l.A}-{l.B}"));
        foreach (var id in LinkCover.Of(broken))
        {
            var worker = _workers[id];
            if (!worker.Connected) continue;
            Quarantine(worker);
            LetGo(worker, $"link broken between workers that both live ({links})", mayRejoin: true);
        }
    }

    /// <summary>Tells a living worker that it is out, then treats it as lost.</summary>
    private void LetGo(WorkerRecord worker, string reason, bool mayRejoin, bool charged = true)
    {
        worker.Barred = !mayRejoin;
        if (mayRejoin) worker.MayReturnUntil = _now + _clocks.Form;
        SendEvict(worker, reason, mayRejoin);
        Lose(worker, reason, charged, told: true);
    }

    private void SendEvict(WorkerRecord worker, string reason, bool mayRejoin)
    {
        worker.RemindAt = _now + _clocks.Dead;
        _out.Send(worker, new Evict
        {
            LeaderToken = _token.Value, Generation = _highest.Value, Reason = reason, MayRejoin = mayRejoin,
        });
    }

    private void Lose(WorkerRecord worker, string evidence, bool charged, bool told = false)
    {
        Invariant.Check(worker.Connected, "M2 a worker is lost once");
        var seat = SeatOf(worker);
        if (Status == MembershipStatus.Closed) charged = false;
        // It may live on behind a broken link: should it hear this, it keeps its state and says Hello again (W5).
        if (!told && seat is not null && charged) SendEvict(worker, evidence, mayRejoin: true);
        (worker.Connected, worker.LinkUp, worker.Prepared) = (false, false, false);
        _suspicions.Forget(worker.Id);
        if (charged) CountLoss(worker);
        _out.Note($"lost {worker}: {evidence}");
        _out.Raise(new WorkerLost(worker.Id, worker.Name, evidence, seat is not null, charged));
        if (seat is not null) OnMemberLost(seat, worker, evidence, named: charged || !told);
        if (_job is not null && Status != MembershipStatus.Closed) _out.Raise(new WorkersAreWanted(_wanted));
    }

    private void CountLoss(WorkerRecord worker)
    {
        worker.Losses++;
        worker.LostAt.RemoveAll(t => _now - t > _clocks.FlapWindow);
        worker.LostAt.Add(_now);
        if (worker.LostAt.Count >= FlapLosses) Quarantine(worker);
    }

    private void Quarantine(WorkerRecord worker) => worker.QuarantinedUntil = _now + _clocks.Quarantine;

    private void OnMemberLost(MemberSeat seat, WorkerRecord worker, string evidence, bool named)
    {
        _lossTexts.Add($"{worker.Id} {evidence}");
        if (named) _lostIds.Add(worker.Id);
        switch (Status)
        {
            case MembershipStatus.Stable:
                seat.Lost = true;
                // Concurrent losses come together; a goodbye needs no company.
                var due = worker.Farewell ? _now : _now + _clocks.Coalesce;
                _coalesceAt = _coalesceAt is { } at ? Earlier(at, due) : due;
                break;
            case MembershipStatus.Fencing:
                Unseat(seat);
                ForgetLosses(); // this fence deals with it: the next one must not name it again
                HardenFence();
                MaybeCompleteFencing();
                break;
            case MembershipStatus.Opening:
                Unseat(seat);
                BeginFencing(FenceKind.Hard, default, TakeLossTexts());
                break;
            case MembershipStatus.Paused or MembershipStatus.Recovering:
                Unseat(seat); // while recovering: it is silent then, unless it comes back in time
                ForgetLosses();
                break;
            case MembershipStatus.Forming or MembershipStatus.Closed:
                ForgetLosses();
                break;
            default: throw Invariant.Unhandled(Status);
        }
    }

    private void ForgetLosses()
    {
        _lossTexts.Clear();
        _lostIds.Clear();
    }

    private string TakeLossTexts()
    {
        var text = "lost " + string.Join("; ", _lossTexts);
        _lossTexts.Clear();
        return text;
    }
}
