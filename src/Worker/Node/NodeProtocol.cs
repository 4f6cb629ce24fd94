using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Worker.Node;

// The worker process and its coordinator: being admitted, staying known, leaving. What is trained is not its business.
// A coordinator that is gone stops nothing: the trainer goes on while peers answer, and this side keeps dialling (4.5
// row 9). N1  The token never falls; an older leader's word changes nothing here.
// N2  A drain ends within its grace, whether anybody answers or not (G2).
// N3  Nobody trains alone for ever: without a coordinator the process ends after the orphan limit, and says so on the
// way. The state that it has is saved first.
internal enum NodeStatus
{
    Dialing,  // no link to the coordinator
    Greeting, // linked; Hello is said
    Joined,   // admitted
    Saving,   // the orphan limit is over: the trainer saves the state that it has, then the process ends
    Gone,     // the process ends
}

internal sealed record CoordinatorUp;

internal sealed record CoordinatorDown(string Text);

/// <summary>The handshake was refused: other versions, or not a coordinator.</summary>
internal sealed record CoordinatorUnfit(IReadOnlyList<string> Differences);

/// <summary>SIGTERM, or the host was asked to stop.</summary>
internal sealed record DrainAsked;

/// <summary>The trainer has ended everything that it had.</summary>
internal sealed record TrainingEnded(int ExitCode, string Text);

/// <summary>The trainer was evicted and wants to be a learner again.</summary>
internal sealed record GreetAgain;

/// <summary>What became of the state of an orphan; empty: there was none.</summary>
internal sealed record StateSaved(string Text);

internal abstract record NodeOutput;

/// <summary>The trainer, if there is one, saves what it has: answered by <see cref="StateSaved"/>.</summary>
internal sealed record SaveState : NodeOutput;

internal sealed record SendHello : NodeOutput;

internal sealed record SendBeat : NodeOutput;

internal sealed record SendDrain(TimeSpan Grace) : NodeOutput;

/// <summary>Admitted as this worker; the trainer hears of the leader.</summary>
internal sealed record Admitted(WorkerId Me, LeaderToken Token) : NodeOutput;

internal sealed record ReleaseTrainer(Release Message) : NodeOutput;

/// <summary>What belonged to a job is gone; the process is as it was before its first.</summary>
internal sealed record ForgetTrainer : NodeOutput;

internal sealed record Say(string Line) : NodeOutput;

internal sealed record ExitProcess(int Code, string Line) : NodeOutput;

internal sealed class NodeProtocol(string address, TimeSpan firstBeat, TimeSpan grace,
    TimeSpan orphanLimit, TimeSpan saveTime, Instant start)
{
    public static readonly (NodeStatus From, NodeStatus To, string On)[] Transitions =
    [
        (NodeStatus.Dialing, NodeStatus.Greeting, "CoordinatorUp"),
        (NodeStatus.Dialing, NodeStatus.Saving, "orphan limit"),
        (NodeStatus.Dialing, NodeStatus.Gone, "CoordinatorUnfit, grace over, TrainingEnded"),
        (NodeStatus.Saving, NodeStatus.Gone, "StateSaved, save time over, CoordinatorUnfit, grace over, TrainingEnded"),
        (NodeStatus.Greeting, NodeStatus.Joined, "Welcome"),
        (NodeStatus.Greeting, NodeStatus.Dialing, "CoordinatorDown"),
        (NodeStatus.Greeting, NodeStatus.Gone, "Refuse, Release, grace over, TrainingEnded"),
        (NodeStatus.Joined, NodeStatus.Greeting, "GreetAgain, or Release that lets it stay: TrainingEnded"),
        (NodeStatus.Joined, NodeStatus.Dialing, "CoordinatorDown"),
        (NodeStatus.Joined, NodeStatus.Gone, "Refuse, Release, grace over, TrainingEnded"),
    ];

    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(5);
    private Instant _aloneSince = start;
    private Instant _saidAt = start;
    private Instant _beatAt = start;
    private Instant? _drainUntil;
    private Instant _savingUntil;
    private string _givesUp = "";
    private bool _drainSaid;
    private bool _trainerReleased;
    private bool _stays; // the job lets it go, the coordinator does not

    public NodeStatus Status { get; private set; } = NodeStatus.Dialing;

    public WorkerId? Me { get; private set; }

    public LeaderToken Token { get; private set; }

    /// <summary>Between two signs of life; the job sets it.</summary>
    public TimeSpan Beat { get; set; } = firstBeat;

    /// <param name="message">A control message or one of the records above.</param>
    /// <param name="hasTrainer">Whether there is work here that must come to rest before the process ends.</param>
    /// <param name="now">The time.</param>
    /// <param name="outputs">Gets what is to be done.</param>
    public void Step(object message, bool hasTrainer, Instant now, List<NodeOutput> outputs)
    {
        if (Status == NodeStatus.Gone) return;
        switch (message)
        {
            case CoordinatorUp: OnCoordinatorUp(outputs); break;
            case CoordinatorDown m: OnCoordinatorDown(m, now, outputs); break;
            case CoordinatorUnfit m: OnCoordinatorUnfit(m, outputs); break;
            case Welcome m: OnWelcome(m, now, outputs); break;
            case Refuse m: OnRefuse(m, outputs); break;
            case Release m: OnRelease(m, hasTrainer, outputs); break;
            case GreetAgain: OnGreetAgain(outputs); break;
            case DrainAsked: OnDrainAsked(hasTrainer, now, outputs); break;
            case TrainingEnded m: OnTrainingEnded(m, outputs); break;
            case StateSaved m: OnStateSaved(m, outputs); break;
            default: throw Invariant.Unhandled(message);
        }
    }

    /// <summary>When <see cref="Tick"/> has something to do.</summary>
    public Instant NextDeadline
    {
        get
        {
            if (Status == NodeStatus.Gone) return Instant.Never;
            var drain = _drainUntil ?? Instant.Never;
            var next = Status switch
            {
                NodeStatus.Dialing => Earlier(_aloneSince + orphanLimit, _saidAt + SayEvery),
                NodeStatus.Joined => _beatAt + Beat,
                NodeStatus.Saving => _savingUntil,
                _ => Instant.Never,
            };
            return Earlier(drain, next);
        }
    }

    private static Instant Earlier(Instant a, Instant b) => a < b ? a : b;

    public void Tick(Instant now, List<NodeOutput> outputs)
    {
        if (Status == NodeStatus.Gone) return;
        if (_drainUntil is { } until && now >= until)
        {
            Exit((int)ExitCode.GraceExpired,
                $"the grace of {grace.TotalSeconds:0.#} s is over and nobody let this worker go", outputs);
            return;
        }

        if (Status == NodeStatus.Saving && now >= _savingUntil)
        {
            Exit((int)ExitCode.Cluster,
                $"{_givesUp}; its state was not saved within {saveTime.TotalSeconds:0} s", outputs);
            return;
        }

        if (Status == NodeStatus.Dialing) { TickAlone(now, outputs); return; }
        if (Status != NodeStatus.Joined || now - _beatAt < Beat) return;
        _beatAt = now;
        outputs.Add(new SendBeat());
    }

    private void TickAlone(Instant now, List<NodeOutput> outputs)
    {
        var alone = now - _aloneSince;
        if (alone >= orphanLimit)
        {
            _givesUp = $"no coordinator at {address} for {alone.TotalSeconds:0} s: giving up";
            _savingUntil = now + saveTime;
            Become(NodeStatus.Saving);
            outputs.Add(new SaveState());
            return;
        }

        if (now - _saidAt < SayEvery) return;
        _saidAt = now;
        outputs.Add(new Say($"no coordinator at {address} for {alone.TotalSeconds:0} s, dialling on"));
    }

    private void OnStateSaved(StateSaved m, List<NodeOutput> outputs)
    {
        if (Status != NodeStatus.Saving) { outputs.Add(new Say($"ignored StateSaved in {Status}")); return; }
        Exit((int)ExitCode.Cluster, m.Text.Length == 0 ? _givesUp : $"{_givesUp}; {m.Text}", outputs);
    }

    private void OnCoordinatorUp(List<NodeOutput> outputs)
    {
        if (Status != NodeStatus.Dialing)
        {
            outputs.Add(
            new Say($"a second link to the coordinator in {Status}")); return;
        }
        Become(NodeStatus.Greeting);
        outputs.Add(new SendHello());
    }

    private void OnCoordinatorDown(CoordinatorDown m, Instant now, List<NodeOutput> outputs)
    {
        if (Status is NodeStatus.Dialing or NodeStatus.Saving) return;
        Become(NodeStatus.Dialing);
        (_aloneSince, _saidAt, _drainSaid) = (now, now, false);
        outputs.Add(new Say($"the coordinator at {address} is gone ({m.Text}), dialling on"));
    }

    private void OnCoordinatorUnfit(CoordinatorUnfit m, List<NodeOutput> outputs) =>
        Exit((int)ExitCode.Cluster, $"{address} refused the handshake: {string.Join("; ", m.Differences)}", outputs);

    private void OnWelcome(Welcome m, Instant now, List<NodeOutput> outputs)
    {
        if (m.LeaderToken < Token.Value)
        {
            outputs.Add(
            new Say($"ignored Welcome of k{m.LeaderToken}, {Token} was seen (N1)")); return;
        }
        if (Status != NodeStatus.Greeting) { outputs.Add(new Say($"ignored Welcome in {Status}")); return; }
        Become(NodeStatus.Joined);
        Token = new LeaderToken(m.LeaderToken);
        Me = new WorkerId(m.WorkerId);
        _beatAt = now;
        outputs.Add(new Admitted(Me.Value, Token));
        SayDrain(now, outputs);
    }

    private void OnRefuse(Refuse m, List<NodeOutput> outputs)
    {
        var differences = m.Differences.Count == 0 ? "" : $" ({string.Join("; ", m.Differences)})";
        Exit((int)ExitCode.Cluster,
            $"the coordinator at {address} refused this worker: {m.Reason}{differences}", outputs);
    }

    private void OnRelease(Release m, bool hasTrainer, List<NodeOutput> outputs)
    {
        if (m.LeaderToken < Token.Value)
        {
            outputs.Add(
            new Say($"ignored Release of k{m.LeaderToken}, {Token} was seen (N1)")); return;
        }
        // Who asked to leave, leaves.
        var stay = m.Stay && _drainUntil is null;
        if (!hasTrainer && stay) { OnGreetAgain(outputs); return; }
        if (!hasTrainer) { Exit(m.ExitCode, m.Reason, outputs); return; }
        if (_trainerReleased) return;
        (_trainerReleased, _stays) = (true, stay);
        outputs.Add(new ReleaseTrainer(m));
    }

    private void OnTrainingEnded(TrainingEnded m, List<NodeOutput> outputs)
    {
        if (!_stays || _drainUntil is not null) { Exit(m.ExitCode, m.Text, outputs); return; }
        (_stays, _trainerReleased) = (false, false);
        outputs.Add(new ForgetTrainer());
        outputs.Add(new Say($"free for another job ({m.Text})"));
        OnGreetAgain(outputs);
    }

    private void OnGreetAgain(List<NodeOutput> outputs)
    {
        if (Status != NodeStatus.Joined) return; // it will greet anyway once it is linked
        Become(NodeStatus.Greeting);
        outputs.Add(new SendHello());
    }

    private void OnDrainAsked(bool hasTrainer, Instant now, List<NodeOutput> outputs)
    {
        if (_drainUntil is not null) { outputs.Add(new Say("draining already")); return; }
        if (Status == NodeStatus.Dialing && !hasTrainer)
        {
            Exit((int)ExitCode.Drained, "asked to leave before it joined", outputs);
            return;
        }

        _drainUntil = now + grace;
        outputs.Add(new Say($"asked to leave: draining, at most {grace.TotalSeconds:0.#} s"));
        SayDrain(now, outputs);
    }

    private void SayDrain(Instant now, List<NodeOutput> outputs)
    {
        if (_drainUntil is not { } until || Status != NodeStatus.Joined || _drainSaid) return;
        _drainSaid = true;
        outputs.Add(new SendDrain(until - now));
    }

    private void Exit(int code, string line, List<NodeOutput> outputs)
    {
        Become(NodeStatus.Gone);
        outputs.Add(new ExitProcess(code, line));
    }

    private void Become(NodeStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, Status, next), $"no transition from {Status} to {next}");
        Status = next;
    }
}
