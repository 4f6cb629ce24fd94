// What the coordinator costs by itself. In a run with ten thousand simulated workers their memory, some gigabytes, goes
// through the processor's caches between any two words to the coordinator, and what it knows of a worker is in none of
// them when it needs it: the time measured is the crowd's. So everything that reaches the coordinator is recorded, and
// told to a second one that is alone in its world, at the same virtual times. Reading a message and writing the answers
// count, links do not. That it is the same history is checked at the end of each change.
using System.Buffers;
using System.Runtime.CompilerServices;
using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Actors.Runtime;
using Convoy.Actors.Simulation;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Cli.Simulation;

/// <summary>Messages and news of links to a coordinator, in their order, with their times.</summary>
internal sealed class CoordinatorRecord
{
    /// <param name="At">Virtual time.</param>
    /// <param name="From">The process that spoke, or whose link it is.</param>
    /// <param name="Kind">Number of the message; 0 up, -1 down.</param>
    /// <param name="Bytes">Of the message; they follow those of the entry before.</param>
    public readonly record struct Entry(Instant At, Incarnation From, int Kind, int Bytes);

    public readonly record struct PhaseEnd(Instant At, (string, long, long, int) Outcome);

    private readonly ArrayBufferWriter<byte> _content = new();
    private readonly Dictionary<Incarnation, string> _nodes = []; // looked up only

    public List<Entry> Entries { get; } = [];
    public List<PhaseEnd> Phases { get; } = [];
    public ReadOnlySpan<byte> Content => _content.WrittenSpan;

    /// <summary>Memory that the record takes.</summary>
    public long Bytes => _content.Capacity + ((long)Entries.Capacity * Unsafe.SizeOf<Entry>());

    /// <summary>Name of a process that spoke.</summary>
    public string NodeOf(Incarnation process) => _nodes[process];

    /// <summary>Bytes that were allocated for it, in the coordinator's turns.</summary>
    public long Allocated { get; private set; }

    public void Add(Instant at, Incarnation from, IMessage message)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var before = _content.WrittenCount;
        message.WriteTo(_content);
        Entries.Add(new Entry(at, from, ControlMessages.IdOf(message), _content.WrittenCount - before));
        Allocated += GC.GetAllocatedBytesForCurrentThread() - allocated;
    }

    public void EndPhase(Instant at, (string, long, long, int) outcome) => Phases.Add(new PhaseEnd(at, outcome));

    /// <summary>The owner of the coordinator's links: it hears what the record notes.</summary>
    public IActorRef LinksTo(IActorRef owner, SimulatedWorld world) => new Listener(this, owner, world);

    private sealed class Listener(CoordinatorRecord record, IActorRef owner, SimulatedWorld world) : InternalActorRef
    {
        public override ActorPath Path => owner.Path;

        public override void Tell(object message, IActorRef? sender)
        {
            if (message is LinkUp { Peer.Id: { } up })
            {
                record._nodes[up.Incarnation] = up.Node;
                record.Entries.Add(new Entry(world.Now, up.Incarnation, 0, 0));
            }

            if (message is LinkDown { Peer.Id: { } down })
                record.Entries.Add(new Entry(world.Now, down.Incarnation, -1, 0));
            owner.Tell(message, sender);
        }

        public override void SendSystem(SystemMessage message) => ((InternalActorRef)owner).SendSystem(message);
    }
}

internal sealed class CoordinatorReplay
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(500);

    private readonly CoordinatorRecord _record;
    private readonly SimulatedWorld _world;
    private readonly ScaleCoordinator _coordinator;
    private readonly Dictionary<Incarnation, End> _ends = []; // looked up only
    private readonly ArrayBufferWriter<byte> _answers = new();
    private int _next;
    private int _read;

    public CoordinatorReplay(CoordinatorRecord record, SimulatedWorld world,
        Func<SimulatedWorld, ScaleCoordinator> start)
    {
        (_record, _world, _coordinator) = (record, world, start(world));
        foreach (var entry in record.Entries)
        {
            if (_ends.ContainsKey(entry.From)) continue;
            _ends.Add(entry.From, new End(this, new PeerId(record.NodeOf(entry.From), entry.From)));
        }
    }

    /// <summary>Processor time of the coordinator in each change, the collector's pauses excluded.</summary>
    /// <exception cref="UserException">It came to another end than the recorded one.</exception>
    public List<TimeSpan> Run()
    {
        GC.Collect(); // what was before is nothing to this coordinator
        _coordinator.Submit();
        Arm();
        var times = new List<TimeSpan>();
        foreach (var (at, outcome) in _record.Phases)
        {
            _coordinator.Process.Busy = TimeSpan.Zero;
            var (realStart, cpuStart) = (_coordinator.Process.Meter!.GetTimestamp(), Environment.CpuUsage.TotalTime);
            _world.RunUntil(at);
            // Of what happens in one microsecond the order may be another one: a tick later it has come to the same.
            for (var tick = at; _coordinator.Outcome != outcome && tick < at + Late; tick += Tick)
                _world.RunUntil(tick);
            // The machine may be busy with other things: of the real time, the part in which we had a processor.
            var real = _coordinator.Process.Meter.GetElapsedTime(realStart);
            times.Add(_coordinator.Process.Busy * Math.Min(1, (Environment.CpuUsage.TotalTime - cpuStart) / real));
            if (_coordinator.Outcome != outcome)
                throw new UserException(ExitCode.Failed, "the coordinator's replay went another way: "
                    + $"{_coordinator.Outcome}, it was {outcome}; "
                    + $"{string.Join("; ", _coordinator.Board.Read().Reasons)}; this is a defect of the simulation");
        }

        return times;
    }

    private void Arm()
    {
        if (_next < _record.Entries.Count)
            _world.At(_coordinator.Process, _record.Entries[_next].At.Microseconds, Happen);
    }

    private void Happen()
    {
        var entry = _record.Entries[_next++];
        var end = _ends[entry.From];
        if (entry.Kind == 0) _coordinator.Membership.Tell(new LinkUp(end), ActorRefs.NoSender);
        else if (entry.Kind < 0) _coordinator.Membership.Tell(end.Break(), ActorRefs.NoSender);
        else
        {
            var message = ControlMessages.ParserOf(entry.Kind)!.ParseFrom(_record.Content.Slice(_read, entry.Bytes));
            _read += entry.Bytes;
            _coordinator.Membership.Tell(message, end.Node);
        }

        Arm();
    }

    /// <summary>A link that says what was said, and to which answers are written and forgotten.</summary>
    private sealed class End : Peer
    {
        private readonly CoordinatorReplay _replay;
        private readonly Ref _trainer;
        private bool _isDown;

        public End(CoordinatorReplay replay, PeerId id)
        {
            (_replay, Id) = (replay, id);
            (Node, _trainer) = (new Ref(this, "node"), new Ref(this, "trainer"));
        }

        public Ref Node { get; }
        public override PeerId? Id { get; }
        public override string Address => Id!.Value.Node;
        public override LinkState State => _isDown ? LinkState.Down : LinkState.Up;

        public override IActorRef Actor(string name) => name == "node" ? Node : _trainer;

        public LinkDown Break()
        {
            _isDown = true;
            return new LinkDown(this, LinkDownReason.ConnectionLost, "as recorded");
        }

        public void Write(IMessage message)
        {
            _replay._answers.ResetWrittenCount();
            message.WriteTo(_replay._answers);
        }

        public override bool TrySendBulk(in BulkHeader header, ReadOnlyMemory<byte> payload,
            IBulkCompletion? done = null) => false;

        public override void Close() => _isDown = true;
    }

    private sealed class Ref(End end, string name) : InternalActorRef, IRemoteRef
    {
        public Peer Peer => end;

        public override ActorPath Path => new ActorPath($"convoy://{end}", null, "", 0).Child(name, 0);

        public override void Tell(object message, IActorRef? sender)
        {
            if (message is IMessage control) end.Write(control);
        }

        public override void SendSystem(SystemMessage message)
        {
        }
    }
}
