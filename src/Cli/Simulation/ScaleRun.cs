using Convoy.Actors.Simulation;
using Convoy.Shared;
using Convoy.Shared.Casting;
using Convoy.Shared.Ids;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Cli.Simulation;

/// <summary>What one change cost the coordinator.</summary>
/// <param name="Change">join, ten steps, loss.</param>
/// <param name="SimulatedSeconds">From its begin to its end.</param>
/// <param name="Received">Messages to the coordinator.</param>
/// <param name="Sent">Messages from it.</param>
/// <param name="SentBytes">Bytes of those.</param>
/// <param name="Allocated">Bytes that the coordinator's actors and links allocated.</param>
/// <param name="CpuMs">Processor time of the coordinator's actors, of one that is alone (CoordinatorReplay).</param>
internal sealed record ScaleFigure(
    string Change, double SimulatedSeconds, long Received, long Sent, long SentBytes, long Allocated, double CpuMs);

/// <param name="Workers">Processes that joined.</param>
/// <param name="Members">Those that trained.</param>
/// <param name="Figures">One for each change.</param>
/// <param name="CoordinatorBytes">Memory that the coordinator held at the end, the ends of its links included.</param>
internal sealed record ScaleResult(int Workers, int Members, IReadOnlyList<ScaleFigure> Figures, long CoordinatorBytes)
{
    /// <summary>How much more the larger of two clusters may take: N log N.</summary>
    public double MayGrowFrom(ScaleResult smaller) =>
        Workers * Math.Log2(Workers) / (smaller.Workers * Math.Log2(smaller.Workers));
}

/// <summary>
/// How the coordinator bears many workers: the real coordinator, and workers that say what real ones say to it and
/// nothing to each other. They join, train ten steps, and one in a hundred is killed on the way.
/// </summary>
internal sealed class ScaleRun
{
    private const int StepsToTrain = 10;
    private const int StepsBeforeLoss = 5;
    private static readonly TimeSpan StepTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PhaseMax = TimeSpan.FromMinutes(1);

    private readonly int _count;
    private readonly TimeProvider _meter;
    private readonly CastShape _casts;
    private readonly SimulatedWorld _world = new(1);
    private readonly SimulatedNetwork _network;
    private readonly List<SpokenWorker> _workers = [];
    private readonly List<ScaleFigure> _figures = [];
    private readonly Dictionary<ByteString, Roster> _rosters = []; // looked up only
    private readonly CoordinatorRecord _record = new();
    private ScaleCoordinator _coordinator = null!;
    private SimulatedRemoting _remoting = null!;
    private long _received;
    private long _sent;
    private long _sentBytes;

    private ScaleRun(int count, TimeProvider meter, CastShape casts)
    {
        (_count, _meter, _casts) = (count, meter, casts);
        _network = new SimulatedNetwork(_world) { Delivered = OnDelivered };
    }

    /// <exception cref="UserException">A change did not come to its end.</exception>
    public static ScaleResult Run(int workers, TimeProvider meter, CastShape? casts = null)
    {
        var run = new ScaleRun(workers, meter, casts ?? CastShape.Default);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        run.StartCoordinator();
        run.Phase("join", run.JoinAll, run.IsStable);
        var members = run._coordinator.Board.Read().Workers.Count(w => w.Slices.Length > 0);
        run.Phase("five steps", () => run.Train(StepsBeforeLoss), () => run.Step >= StepsBeforeLoss);
        run.Phase("lose 1%", run.Kill, () => run.IsStable() && run.Generation > 1);
        run.Phase("five steps", () => run.Train(StepsToTrain), () => run.Step >= StepsToTrain);
        // Without the workers, what is left belongs to the coordinator.
        foreach (var worker in run._workers) worker.Process.Kill();
        run._workers.Clear();
        run._rosters.Clear();
        run._world.DropEvents();
        run._network.ForgetAllBut(run._remoting);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        after -= run._record.Bytes;
        GC.KeepAlive(run._coordinator);
        var times = new CoordinatorReplay(run._record, new SimulatedWorld(1), world =>
            new ScaleCoordinator(world, workers, meter, run._casts)).Run();
        var figures = run._figures.Zip(times, static (f, time) => f with { CpuMs = time.TotalMilliseconds });
        return new ScaleResult(workers, members, [.. figures], Math.Max(0, after - before));
    }

    private long Step => _coordinator.Board.Read().Step;

    private long Generation => _coordinator.Board.Read().Generation;

    private bool IsStable() => _coordinator.Board.Read() is { Membership: "stable" };

    private void StartCoordinator()
    {
        _coordinator = new ScaleCoordinator(_world, _count, _meter, _casts);
        _remoting = new SimulatedRemoting(_network, _coordinator.Process, SimulatedCluster.CoordinatorAddress,
            new Incarnation(1), new ClockTable(), _record.LinksTo(_coordinator.Membership, _world), null);
        _remoting.Register("coordinator", _coordinator.Membership);
        _coordinator.Submit();
    }

    private void JoinAll()
    {
        for (var i = 1; i <= _count; i++)
        {
            var number = i;
            // Everybody is started within one second.
            _world.After(null, TimeSpan.FromSeconds(_world.Choice.Below(1_000_000) / 1e6),
                () => _workers.Add(new SpokenWorker(_world, _network, number, _rosters)));
        }
    }

    private void Kill()
    {
        var victims = Math.Max(1, _count / 100);
        var members = _workers.Where(w => w.IsMember).ToList();
        for (var i = 0; i < victims; i++)
        {
            var victim = members[_world.Choice.Below(members.Count)];
            _workers.Remove(victim);
            members.Remove(victim);
            victim.Process.Kill();
            _network.OnEnded(victim.Process, silently: false);
        }
    }

    /// <summary>All members make a step at the same time, as an exchange makes them.</summary>
    private void Train(long until)
    {
        _world.After(null, StepTime, () =>
        {
            var members = _workers.Where(w => w.IsMember).ToList();
            foreach (var worker in members) worker.MakeStep();
            if (members.Count > 0 && members[0].Step < until) Train(until);
        });
    }

    private void Phase(string name, Action begin, Func<bool> isOver)
    {
        (_received, _sent, _sentBytes) = (0, 0, 0);
        _coordinator.Process.Allocated = 0;
        var recorded = _record.Allocated;
        var started = _world.Now;
        begin();
        var limit = started + PhaseMax;
        var look = started;
        while (true)
        {
            if (_world.Now >= look)
            {
                if (isOver()) break;
                look = _world.Now + TimeSpan.FromMilliseconds(50);
            }

            if (!_world.RunNext(limit))
                throw new UserException(ExitCode.Failed,
                    $"{name} of {_count} workers is not over after {PhaseMax.TotalMinutes} simulated minutes: membership {_coordinator.Board.Read().Membership}, {string.Join("; ", _coordinator.Board.Read().Reasons)}");
        }

        _record.EndPhase(_world.Now, _coordinator.Outcome);
        _figures.Add(new ScaleFigure(name, (_world.Now - started).TotalSeconds, _received, _sent, _sentBytes,
            _coordinator.Process.Allocated - (_record.Allocated - recorded), CpuMs: 0));
    }

    private void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        if (to.Process == _coordinator.Process)
        {
            _received++;
            _record.Add(_world.Now, from.Incarnation, message);
        }

        if (from.Process != _coordinator.Process) return;
        _sent++;
        _sentBytes += message.CalculateSize();
    }
}
