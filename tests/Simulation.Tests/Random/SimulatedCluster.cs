using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Simulation.Tests.Random;

internal sealed record ClusterPlan(int Workers, int Min, int Slices, long Until, int FaultEveryMs, TimeSpan FaultsFor);

/// <summary>
/// The real membership protocol and model workers in virtual time. Links keep order and lose nothing while both ends
/// live; everything else (kills, freezes, drains, broken links, delays) is drawn from the seed.
/// </summary>
internal sealed class SimulatedCluster : IModelWorld
{
    /// <summary>No worker's incarnation: they are counted from 1.</summary>
    private const ulong Coordinator = 0;

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    private readonly ClusterPlan _plan;
    private readonly SeededChoice _choice;
    private readonly VirtualTime _time = new();
    private readonly List<ModelWorker> _workers = [];
    private readonly List<(ulong A, ulong B, Instant Until)> _broken = [];
    private readonly Dictionary<(ulong From, ulong To), Instant> _links = []; // looked up only
    private readonly List<(Generation G, long Step, int Worker)> _shards = [];
    private readonly List<(ulong Incarnation, Action<ModelWorker> Deliver)> _waiting = [];
    private readonly MembershipOutbox _outbox = new();
    private readonly MembershipProtocol _protocol = new(new LeaderToken(1), new MembershipHistory(), new ClockTable());
    private readonly List<string> _trace = [];
    private ulong _incarnations;
    private IReadOnlyList<WorkerId> _generationMembers = [];
    private long _opened;
    private bool _isNearEnd;

    public SimulatedCluster(ulong seed, ClusterPlan plan)
    {
        (_plan, _choice, Checkers) = (plan, new SeededChoice(seed), new MembershipCheckers(plan.Slices));
        Feed(new JobStarted(new JobTerms
        {
            JobId = "job", Slices = plan.Slices, MembersMin = plan.Min, MembersMax = plan.Slices,
            MembersExpected = plan.Workers,
            Until = new StepNumber(plan.Until),
        }));
        for (var i = 1; i <= plan.Workers; i++) Start($"worker-{i}");
        Every(TimeSpan.FromMilliseconds(50), () => { _protocol.Tick(_time.Now, _outbox); Execute(); });
        ScheduleFault(_time.Now + plan.FaultsFor);
    }

    public MembershipCheckers Checkers { get; }
    public (long Step, ulong Fingerprint) Checkpoint { get; private set; } = (0, 7);
    public bool Finished { get; private set; }
    public string? Hopeless { get; private set; }
    public int Kills { get; private set; }
    public IReadOnlyList<string> Trace => _trace;

    private List<ModelWorker> Alive => _workers.FindAll(w => w.Alive);

    public void Run(TimeSpan limit) => RunUntil(() => Finished || Hopeless is not null, limit);

    /// <summary>False when it did not come to be within <paramref name="limit"/> of virtual time.</summary>
    public bool RunUntil(Func<bool> done, TimeSpan limit)
    {
        var end = _time.Now + limit;
        while (!done())
        {
            if (!_time.RunNext(end)) return false;
            CheckEnd();
        }

        return true;
    }

    /// <summary>All workers of the plan are alive, members of one generation, and have applied a step in it.</summary>
    public bool IsWhole => _protocol.Status == MembershipStatus.Stable && _generationMembers.Count == _plan.Workers
        && AliveTrainIn(_protocol.Generation.Value) == _plan.Workers;

    /// <summary>How many workers are alive; -1: one of them has applied no step in this generation.</summary>
    private int AliveTrainIn(long generation)
    {
        var count = 0;
        foreach (var worker in _workers)
        {
            if (!worker.Alive) continue;
            if (!worker.Running || worker.Generation != generation || worker.Step <= _opened) return -1;
            count++;
        }

        return count;
    }

    /// <summary>The worker of that name goes, killed or in good order, and starts again a little later.</summary>
    public void Leave(string name, bool inOrder)
    {
        var worker = Alive.Find(w => w.Name == name) ?? throw new InvalidOperationException($"{name} is not alive");
        if (inOrder) ToCoordinator(worker, new Drain { GraceMs = 10_000 });
        else Kill(worker);
    }

    public bool IsGone(string name, ulong incarnation) =>
        !_workers.Exists(w => w.Name == name && w.Incarnation == incarnation && w.Alive);

    public ulong IncarnationOf(string name) => Alive.Find(w => w.Name == name)?.Incarnation ?? 0;

    private void CheckEnd()
    {
        if (!_isNearEnd || _protocol.Status != MembershipStatus.Stable || _generationMembers.Count == 0) return;
        Finished = _generationMembers.All(id =>
            _workers.Exists(w => w.Id == id.Value && w.Ended && w.Step == _plan.Until));
    }

    private void Start(string name)
    {
        var worker = new ModelWorker(name, ++_incarnations, this);
        _workers.Add(worker);
        Note($"start {name} {worker.Incarnation}");
        _time.After(_choice.Between(1, 300), () => { if (worker.Alive) ToCoordinator(worker, worker.Hello()); });
        Every(Beat, () => { if (worker.Alive && !worker.Frozen) ToCoordinator(worker, worker.Beat()); },
            () => worker.Alive);
    }

    private void Every(TimeSpan interval, Action action, Func<bool>? still = null)
    {
        void Next()
        {
            if (still?.Invoke() == false) return;
            action();
            _time.After(interval, Next);
        }

        _time.After(interval, Next);
    }

    // ---- the network ----

    public void ToCoordinator(ModelWorker from, IMessage message) => Travel((from.Incarnation, Coordinator), () =>
    {
        if (message is Hello hello) OnHello(from, hello);
        else Feed(new FromWorker(new WorkerId(from.Id), new Incarnation(from.Incarnation), message));
        if (message is Fenced fenced) Checkers.OnFenced(fenced);
    }, before: message is Fenced f
        ? () => Note($"{from.Name} fenced g{f.Generation} t={f.Step} holds={f.HoldsNext}") : null);

    private void OnHello(ModelWorker from, Hello hello)
    {
        if (!from.Alive) return;
        Feed(new HelloReceived(hello));
    }

    public void ToPeer(ModelWorker from, int workerId, ulong incarnation, Action<ModelWorker> deliver)
    {
        if (_broken.Exists(b => IsLink(b, from.Incarnation, incarnation) && b.Until > _time.Now))
        {
            Suspect(from, workerId, incarnation);
            return;
        }

        Travel((from.Incarnation, incarnation), () => WhenAwake(incarnation, deliver));
    }

    private void WhenAwake(ulong incarnation, Action<ModelWorker> deliver)
    {
        if (_workers.Find(w => w.Incarnation == incarnation) is not { Alive: true } worker) return;
        if (worker.Frozen) _waiting.Add((incarnation, deliver));
        else deliver(worker);
    }

    public void Later(ModelWorker who, int fromMs, int toMs, Action action) =>
        _time.After(_choice.Between(fromMs, toMs), () => WhenAwake(who.Incarnation, _ => action()));

    /// <summary>In order on each link.</summary>
    private void Travel((ulong From, ulong To) link, Action arrive, Action? before = null)
    {
        before?.Invoke();
        var at = _time.Now + _choice.Between(1, 12);
        if (_links.TryGetValue(link, out var last) && last >= at) at = last + TimeSpan.FromMicroseconds(1);
        _links[link] = at;
        _time.At(at, arrive);
    }

    // ---- the coordinator's shell ----

    private void Feed(MembershipInput input)
    {
        _protocol.Step(input, _time.Now, _outbox);
        Execute();
    }

    private void Execute()
    {
        foreach (var effect in _outbox.Drain())
        {
            Checkers.OnEffect(effect, _time.Now, Alive);
            switch (effect)
            {
                case Send { Message: var m } send:
                    Travel((Coordinator, send.Incarnation.Value),
                        () => WhenAwake(send.Incarnation.Value, w => w.Receive(m)));
                    break;
                case Note n: Note(n.Text); break;
                case Raise { News: WorkerAdmitted a }:
                    _time.After(_choice.Between(20, 80), () => Feed(new WorkerPrepared(a.Worker, a.Incarnation)));
                    break;
                case Raise { News: GenerationBegan b }:
                    (_generationMembers, _opened) = (b.Shares.Members, b.Start.Value);
                    break;
                case Raise { News: JobIsHopeless h }: Hopeless = h.Reason; break;
                default: break;
            }
        }
    }

    private void Note(string text) => _trace.Add($"{_time.Now.Microseconds / 1000,8} {text}");

    public void Applied(ModelWorker who)
    {
        Checkers.OnApplied(who, _workers);
        _isNearEnd |= who.Ended;
        if (who.Step == 0 || (who.Step % 10 != 0 && !who.Ended)) return;
        // Its shard is on disk a little later, if it lives.
        var (g, step, fingerprint) = (new Generation(who.Generation), who.Step, who.Fingerprint);
        Later(who, 20, 60, () =>
        {
            if (!_shards.Contains((g, step, who.Id))) _shards.Add((g, step, who.Id));
            if (g != _protocol.Generation || step <= Checkpoint.Step) return;
            if (!_generationMembers.All(m => _shards.Contains((g, step, m.Value)))) return;
            Checkpoint = (step, fingerprint);
            Feed(new CheckpointKnown(new StateOrigin(new StepNumber(step), new Fingerprint(fingerprint),
                $"step-{step}")));
        });
    }

    public void Exited(ModelWorker who, int code)
    {
        Note($"{who.Name} exits with {code}");
        Feed(new ProcessExited(who.Name, code));
        Replace(who.Name);
    }

    private void Replace(string name) => _time.After(_choice.Between(100, 1_500), () =>
    {
        if (!_workers.Exists(w => w.Alive && w.Name == name)) Start(name);
    });

    // ---- faults ----

    private void ScheduleFault(Instant until) => _time.After(_choice.Between(1, 2 * _plan.FaultEveryMs), () =>
    {
        if (_time.Now >= until) return;
        Fault();
        ScheduleFault(until);
    });

    private void Fault()
    {
        if (Alive.Count == 0) return;
        var victim = _choice.Of(Alive);
        switch (_choice.Below(8))
        {
            case 0 or 1 or 2 or 3: Kill(victim); break;
            case 4: Freeze(victim); break;
            case 5: ToCoordinator(victim, new Drain { GraceMs = 10_000 }); break;
            case 6: BreakLink(victim, _choice.Of(Alive)); break;
            default: Feed(new ScaleTo(_plan.Min + _choice.Below(_plan.Workers - _plan.Min + 1))); break;
        }
    }

    private void Kill(ModelWorker victim)
    {
        Note($"kill {victim.Name} {victim.Incarnation} at t={victim.Step}");
        Kills++;
        victim.Alive = false;
        _time.After(_choice.Between(1, 250),
            () => Feed(new LinkLost(new Incarnation(victim.Incarnation), "connection closed", Final: true)));
        Replace(victim.Name);
    }

    private void Freeze(ModelWorker victim)
    {
        Note($"freeze {victim.Name}");
        victim.Frozen = true;
        _time.After(_choice.Between(100, 3_000), () => Thaw(victim));
    }

    /// <summary>What reached it meanwhile is read now, in its order.</summary>
    private void Thaw(ModelWorker victim)
    {
        victim.Frozen = false;
        var waiting = _waiting.FindAll(w => w.Incarnation == victim.Incarnation);
        _waiting.RemoveAll(w => w.Incarnation == victim.Incarnation);
        foreach (var (_, deliver) in waiting)
            if (victim.Alive) deliver(victim);
    }

    private static bool IsLink((ulong A, ulong B, Instant Until) b, ulong one, ulong other) =>
        (b.A == one && b.B == other) || (b.A == other && b.B == one);

    private void BreakLink(ModelWorker a, ModelWorker b)
    {
        if (a == b) return;
        Note($"break {a.Name}-{b.Name}");
        _broken.Add((a.Incarnation, b.Incarnation, _time.Now + _choice.Between(500, 4_000)));
        Suspect(a, b.Id, b.Incarnation);
        Suspect(b, a.Id, a.Incarnation);
    }

    private void Suspect(ModelWorker witness, int about, ulong incarnation) => ToCoordinator(witness, new Suspect
    {
        Generation = witness.Generation, About = about, AboutIncarnation = incarnation,
        Evidence = SuspectEvidence.Reset,
    });
}
