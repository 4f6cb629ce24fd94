using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Actors.Simulation;
using Convoy.Shared.Casting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Cli.Simulation;

/// <summary>A worker of which only the words to the coordinator are there.</summary>
internal sealed class SpokenWorker
{
    private readonly IActorRef _node;
    private readonly Voice _voice;

    public SpokenWorker(SimulatedWorld world, SimulatedNetwork network, int number,
        Dictionary<ByteString, Roster> rosters)
    {
        var host = $"w{number}";
        Process = new SimulatedProcess(world, host, host, 0, TimeSpan.Zero);
        var incarnation = new Incarnation((ulong)number + 1_000_000);
        Voice? voice = null;
        _node = Process.System.ActorOf(Props.Create(() => voice = new Voice(host, incarnation, Process.Time, rosters)),
            "node");
        world.RunReady();
        _voice = voice!;
        var remoting = new SimulatedRemoting(network, Process, host + ":7000", incarnation,
            new ClockTable(), _node, null);
        remoting.Register("node", _node);
        remoting.Register("trainer", _node);
        _voice.Start(remoting);
    }

    public SimulatedProcess Process { get; }
    public bool IsMember => _voice.IsMember;
    public long Step => _voice.Step;

    public void MakeStep() => _node.Tell(MakeStepNow.Instance, ActorRefs.NoSender);

    private sealed class MakeStepNow
    {
        public static readonly MakeStepNow Instance = new();
    }

    private sealed class Voice : ReceiveActor, IWithTimers
    {
        private const ulong H0 = 7;
        private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

        private const string CastTimer = "cast";
        private readonly Incarnation _incarnation;
        private readonly CastProtocol _casts;
        private readonly MonotonicClock _clock;
        private readonly Dictionary<Incarnation, Peer> _peers = []; // looked up only
        private readonly List<Peer> _dialled = [];
        private IRemoting? _remoting;
        private Peer? _coordinator;
        private long _generation;
        private bool _reports;

        public Voice(string name, Incarnation incarnation, TimeProvider time, Dictionary<ByteString, Roster> rosters)
        {
            _clock = new MonotonicClock(time);
            _incarnation = incarnation;
            // Ten thousand copies of one list would be memory of the simulation, not of any worker.
            _casts = new CastProtocol(incarnation, new ClockTable(),
                roster => rosters.TryGetValue(roster.Sha256, out var known) ? known : rosters[roster.Sha256] = roster);
            Receive<LinkUp>(m =>
            {
                if (!ReferenceEquals(m.Peer, _coordinator)) { OnPeerUp(m.Peer); return; }
                Say(new Hello
                {
                    WorkerName = name, Incarnation = incarnation.Value, Host = name,
                    PeerAddress = name + ":7000", StateStep = -1,
                });
            });
            Receive<Welcome>(_ => Timers.StartPeriodicTimer("beat", BeatNow.Instance, Beat));
            Receive<Assign>(m => Say(new Ready
            {
                JobId = m.JobId, Samples = 1_000_000, InitialFingerprint = H0,
                DataSha256 = ByteString.CopyFrom(new byte[32])
            }));
            Receive<BeatNow>(_ => Say(new Shared.Protocol.Beat
            {
                Incarnation = incarnation.Value, Generation = _generation, Step = Step, Phase = IsMember
                    ? "Compute" : "Prepared", KernelMsMax = 100,
            }));
            Receive<LinkDown>(m => OnPeerDown(m.Peer));
            Receive<Fence>(OnFence);
            Receive<Open>(m => Enter(m.Generation, m.StartStep, reports: true));
            Receive<CastDue>(_ => Cast(_casts.Tick));
            Receive<Cast>(OnCastMessage);
            Receive<CastHeard>(OnCastMessage);
            Receive<CastAnswers>(OnCastMessage);
            Receive<NeedRoster>(OnCastMessage);
            Receive<RosterContent>(OnCastMessage);
            Receive<MakeStepNow>(_ => OnStep());
            ReceiveAny(static _ => { });
        }

        public ITimerScheduler Timers { get; set; } = null!;
        public bool IsMember { get; private set; }
        public long Step { get; private set; }

        private void OnFence(Fence m)
        {
            IsMember = false;
            Answer(new Fenced
            {
                Generation = m.Generation, Incarnation = _incarnation.Value, Step = Step,
                Fingerprint = H0 + (ulong)Step, RetainsCurrent = true
            });
        }

        private void Enter(long generation, long start, bool reports)
        {
            (_generation, Step, IsMember, _reports) = (generation, start, true, reports);
            Answer(new Aligned { Generation = generation, Step = Step, Fingerprint = H0 + (ulong)Step });
        }

        // ---- The tree: the protocol of a real member, over links that are dialled when they are needed ----

        public void Start(IRemoting remoting)
        {
            _remoting = remoting;
            _coordinator = remoting.Connect(SimulatedCluster.CoordinatorAddress, Self);
        }

        private void OnPeerUp(Peer peer)
        {
            _peers[peer.Id!.Value.Incarnation] = peer;
            Cast(now => _casts.Step(new CastLinkUp(peer.Id!.Value.Incarnation), now));
        }

        private void OnPeerDown(Peer peer)
        {
            if (peer.Id is not { } id || _peers.GetValueOrDefault(id.Incarnation) != peer) return;
            _peers.Remove(id.Incarnation);
            Cast(now => _casts.Step(new CastLinkDown(id.Incarnation), now));
        }

        private void OnCastMessage(IMessage message)
        {
            if (Remoting.PeerOf(Sender) is not { Id: { } id } peer) return;
            var from = ReferenceEquals(peer, _coordinator) ? default : id.Incarnation;
            Cast(now => _casts.Step(new CastSaid(from, message), now));
        }

        private void Cast(Action<Instant> step)
        {
            var now = _clock.Now;
            step(now);
            foreach (var output in _casts.Drain()) Execute(output);
            if (_casts.NextDeadline == Instant.Never) return;
            var wait = _casts.NextDeadline - now;
            Timers.StartSingleTimer(CastTimer, CastDue.Instance, wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
        }

        private void Execute(CastOutput output)
        {
            switch (output)
            {
                case CastSend { To.Value: 0 } o: Say(o.Message); break;
                case CastSend o: _peers.GetValueOrDefault(o.To)?.Actor("trainer").Tell(o.Message, Self); break;
                case CastReach o: _dialled.Add(_remoting!.Connect(o.Address, Self)); break;
                case CastDeliver { Cast.Fence: { } fence }: OnFence(fence); break;
                case CastDeliver o: Enter(o.Cast.Generation, o.Cast.Open.StartStep, o.Position < o.Cast.FanOut); break;
                default: break;
            }
        }

        private void Answer(IMessage message) => Cast(now => _casts.Step(new OwnAnswer(message), now));

        private void OnStep()
        {
            if (!IsMember) return;
            Step++;
            if (!_reports) return;
            var report = new StepReport { Generation = _generation };
            report.Rows.Add(new StepRow
            {
                Step = Step, LossSum = 1, Weight = 1, Samples = 1, TotalUs = 1_000_000,
                Fingerprint = H0 + (ulong)Step
            });
            Say(report);
        }

        private void Say(IMessage message) => _coordinator!.Actor("coordinator").Tell(message, Self);

        private sealed class CastDue
        {
            public static readonly CastDue Instance = new();
        }

        private sealed class BeatNow
        {
            public static readonly BeatNow Instance = new();
        }
    }
}
