using Convoy.Cli.Simulation.Checkers;
using Convoy.Coordinator.Jobs;

namespace Convoy.Cli.Simulation;

/// <summary>What goes wrong, and how it is put right again.</summary>
internal sealed partial class SimulatedCluster
{
    private SimulatedWorker? WorkerAt(int number) => _workers.Find(w => w.Process.Host == HostAt(number));

    private string HostAt(int number) => $"w{(number % Plan.Workers) + 1}";

    /// <summary>Machines whose processes or wires a fault touches.</summary>
    public IEnumerable<string> VictimsOf(Fault fault) => fault.Kind switch
    {
        FaultKind.Cut or FaultKind.Block or FaultKind.OneWay => [HostAt(fault.Victim), HostAt(fault.Other)],
        // Its links to all others break, and either end of a broken link may be taken for the bad one.
        FaultKind.Isolate => Enumerable.Range(0, Plan.Workers).Select(HostAt),
        FaultKind.Join or FaultKind.End => [],
        _ => [HostAt(fault.Victim)],
    };

    private void Inject(Fault fault)
    {
        if (IsJobOver) return;
        World.Trace($"{fault}");
        Tell(c => c.OnFault(fault, ""));
        switch (fault.Kind)
        {
            case FaultKind.Kill: KillWorker(fault, silently: false); break;
            case FaultKind.Power: KillWorker(fault, silently: true); break;
            case FaultKind.Stop: StopWorker(fault); break;
            case FaultKind.Cut:
                Network.Reset(HostAt(fault.Victim), EndOf(fault), fault.Amount % 3 != 1,
                fault.Amount % 3 != 0); break;
            case FaultKind.Block: Block(fault, bothWays: true); break;
            case FaultKind.OneWay: Block(fault, bothWays: false); break;
            case FaultKind.Isolate: Isolate(fault); break;
            case FaultKind.Drain: WorkerAt(fault.Victim)?.Terminate(); break;
            case FaultKind.Scale: Scale(fault); break;
            case FaultKind.Slow: Slow(fault); break;
            case FaultKind.Clock: Jump(fault); break;
            case FaultKind.DiskFull: For(fault, () => DiskIsFull = true, () => DiskIsFull = false); break;
            case FaultKind.DiskSlow: For(fault, () => _diskIsSlow = true, () => _diskIsSlow = false); break;
            case FaultKind.DiskCrash: CrashDisk(fault); break;
            case FaultKind.LeaderKill: KillCoordinator(); break;
            case FaultKind.LeaderStop: StopCoordinator(fault); break;
            case FaultKind.Usurp: Usurp(); break;
            case FaultKind.Loss: Lose(fault); break;
            case FaultKind.Hang: Hang(fault); break;
            case FaultKind.End: Stop(fault); break;
            case FaultKind.Join: StartWorker($"w{Plan.Workers + 1}"); break;
            default: throw Convoy.Shared.Invariant.Unhandled(fault.Kind);
        }
    }

    private void For(Fault fault, Action begin, Action end)
    {
        begin();
        World.After(null, fault.Duration, () =>
        {
            World.Trace($"fault {fault.Number} is over");
            end();
        });
    }

    /// <summary>One in four cuts goes to the coordinator's link.</summary>
    private string EndOf(Fault fault) => fault.Amount % 4 == 0 ? _coordinator!.Process.Host : HostAt(fault.Other);

    private void KillWorker(Fault fault, bool silently)
    {
        if (WorkerAt(fault.Victim) is not { } worker) return;
        OnWorkerEnded(worker, 137, silently ? "its machine lost power" : "kill -9", silently,
            silently ? fault.Duration + TimeSpan.FromSeconds(1) : null);
    }

    private void StopWorker(Fault fault)
    {
        if (WorkerAt(fault.Victim) is not { } worker) return;
        For(fault, worker.Process.Stop, worker.Process.Continue);
    }

    private void Block(Fault fault, bool bothWays)
    {
        var (a, b) = (HostAt(fault.Victim), EndOf(fault));
        if (a == b) return;
        For(fault, () =>
        {
            Network.Block(a, b);
            if (bothWays) Network.Block(b, a);
        }, () =>
        {
            Network.Unblock(a, b);
            if (bothWays) Network.Unblock(b, a);
        });
    }

    private void Isolate(Fault fault)
    {
        var victim = HostAt(fault.Victim);
        var others = Enumerable.Range(0, Plan.Workers).Select(HostAt).Append(CoordinatorHost).Append(StandbyHost)
            .Where(h => h != victim).ToArray();
        For(fault, () =>
        {
            foreach (var other in others) { Network.Block(victim, other); Network.Block(other, victim); }
        }, () =>
        {
            foreach (var other in others) { Network.Unblock(victim, other); Network.Unblock(other, victim); }
        });
    }

    /// <summary>
    /// Two clients stop the same job, and a third one scales it while it ends. Who is told that it is over says so to
    /// nobody else: the job goes on from its checkpoint, and a late stop ends it once more.
    /// </summary>
    private void Stop(Fault fault)
    {
        var job = Jobs[fault.Other % Jobs.Count];
        if (!job.IsSubmitted || job.IsOver) return;
        job.MayBeStopped = true;
        void Ask() => Command(job, c => new TakeStop("its user wants it", c) { Job = job.Name }, fault.Duration / 2,
            oneRefusal: true);
        Ask();
        World.After(null, TimeSpan.FromMilliseconds(fault.Amount), Ask);
        World.After(null, TimeSpan.FromMilliseconds(fault.Amount / 2), () => Scale(fault));
    }

    private void Scale(Fault fault)
    {
        var job = Jobs[fault.Other % Jobs.Count];
        var (least, most) = (job.Plan.Spec.Elastic.Min, job.Plan.Workers);
        var takenBack = fault.Duration + TimeSpan.FromSeconds(6);
        Command(job, c => new TakeScale(least + (fault.Amount % (most - least + 1)), c) { Job = job.Name }, takenBack);
        // The user takes it back, so that the run ends at its usual pace.
        World.After(null, takenBack, () => Command(
            job, c => new TakeScale(most, c) { Job = job.Name }, TimeSpan.FromSeconds(30)));
    }

    /// <summary>
    /// A user's command has a number. Without an answer it is given again, to whoever leads then; and as an answer may
    /// be lost, one more time in half of the cases.
    /// </summary>
    private void Command(SimulatedJob job, Func<string, object> request, TimeSpan givesUpAfter,
        bool oneRefusal = false)
    {
        var command = $"command {++_commands}";
        var (until, asks) = (World.Now + givesUpAfter, 1 + _commandChoice.Below(2));
        void Give()
        {
            if (job.IsOver || World.Now >= until) return;
            if (AliveCoordinator is { Process.IsStopped: false } leader)
                leader.Ask(request(command), () =>
                {
                    Tell(c => c.OnAnswered(command));
                    asks--;
                }, _ => asks = oneRefusal ? 0 : asks);
            World.After(null, RepeatAfter, () => { if (asks > 0) Give(); });
        }

        Give();
    }

    private static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(2);
    private int _commands;

    private void Slow(Fault fault)
    {
        if (WorkerAt(fault.Victim) is not { } worker) return;
        For(fault, () => worker.Slowness = SlowFactor, () => worker.Slowness = 1);
    }

    private void Hang(Fault fault)
    {
        if (WorkerAt(fault.Victim) is { } worker) worker.HungUntil = World.Now + fault.Duration;
    }

    private void Jump(Fault fault)
    {
        if (WorkerAt(fault.Victim) is { } worker)
            worker.Process.Time.UtcJump += TimeSpan.FromSeconds(fault.Amount - 500);
    }

    private void CrashDisk(Fault fault)
    {
        if (_diskIsDown) return;
        // At one of the next operations, so that the crash falls into the middle of a save.
        Disk.StopAt = Disk.Operations + 1 + (fault.Amount % 24);
    }

    public void KillCoordinator()
    {
        if (AliveCoordinator is not { } coordinator) return;
        World.Trace("kill -9 of the coordinator");
        EndCoordinator(coordinator);
    }

    private void StopCoordinator(Fault fault)
    {
        if (AliveCoordinator is not { } coordinator) return;
        For(fault, coordinator.Process.Stop, coordinator.Process.Continue);
    }

    /// <summary>
    /// A second coordinator at the same address takes the lease by force; the first finds out by itself.
    /// </summary>
    private void Usurp()
    {
        if (AliveCoordinator is not { } first || first.Process.IsStopped) return;
        World.Trace($"a second coordinator usurps the lease of k{first.Token}");
        StartCoordinator(goesOn: Plan.HasStandby);
    }

    private void Lose(Fault fault) => For(fault,
        () => Network.Quality = Plan.Network with
        { LossPerMille = 30 + (fault.Amount / 10), DuplicatePerMille = fault.Amount / 10 },
        () => Network.Quality = Plan.Network);
}
