using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Worker.Learning;
using Google.Protobuf;

namespace Convoy.Worker.Training;

// Shell of LearnerProtocol and of DonorProtocol: a worker is the one or the other, never both at a time.
internal sealed partial class TrainerActor
{
    private const string LearnerTimer = "learner";
    private static readonly TimeSpan LearnerTickEvery = TimeSpan.FromMilliseconds(50);

    private readonly LearnerProtocol _learner;
    private LearnerMemory? _learned;
    private Func<ModelState> _newState = null!;
    private EnterGeneration? _entered;
    private AlignState? _replay;
    private bool _spills;

    private sealed class LearnerTick
    {
        public static readonly LearnerTick Instance = new();
    }

    private void ListenToLearning()
    {
        Receive<FrameTaken>(m => TellPeer(m.From, new ChunkHeard { Bytes = m.Bytes }));
        Receive<CopyTaken>(OnDeviceLearned);
        Receive<FedApplied>(OnDeviceLearned);
        Receive<LearnerInput>(m => LearnerStep(m));
        Receive<DonorInput>(m => DonorStep(m));
        Receive<CopyMade>(m => _donor.Tell(m, Self));
        Receive<LearnerTick>(_ => OnLearnerTick());
        Receive<DonorTick>(_ => OnDonorTick());
        Receive<FeedBegins>(OnTeacherSaid);
        Receive<SnapOffer>(OnTeacherSaid);
        Receive<ChunksGone>(OnTeacherSaid);
        Receive<FeedAsk>(OnPupilSaid);
        Receive<SnapAsk>(OnPupilSaid);
        Receive<SnapGet>(OnPupilSaid);
        Receive<NeedChunks>(OnPupilSaid);
        Receive<ChunkHeard>(OnPupilSaid);
        Receive<FeedEnds>(OnEitherSaid);
        Receive<SnapEnds>(OnEitherSaid);
    }

    private void OpenLearning(JobOpened m)
    {
        _newState = () => new ModelState(m.Elements, m.States);
        (_learner.Elements, _learner.Frames) =
            (m.Elements, new SnapshotFrames(m.States.Select(s => s.Length).Prepend(m.Elements)));
        var self = Self;
        var spill = new FeedSpill(_options.Disk, _options.FeedFolder, _options.FeedRoom.DiskBytes);
        _learned = new LearnerMemory(m.Elements, _learner.Frames, _options.FeedRoom, spill,
            message => self.Tell(message, ActorRefs.NoSender));
    }

    private void OnLearn(Learn m)
    {
        if (m.LeaderToken < _protocol.Token.Value || m.JobId != _protocol.JobId
            || _protocol.Status != StepStatus.Prepared)
        {
            Log(LogLevel.Info, $"Learn of g{m.Generation}: this worker is {_protocol.Status}");
            return;
        }

        LearnerStep(new LearnFrom(m, _protocol.State, _protocol.Fingerprint));
    }

    private void OnTeacherSaid(IMessage m)
    {
        if (Remoting.PeerOf(Sender)?.Id is { } id) LearnerStep(new TeacherSaid(id.Incarnation, m));
    }

    private void OnPupilSaid(IMessage m)
    {
        if (Remoting.PeerOf(Sender)?.Id is { } id) DonorStep(new PupilSaid(id.Incarnation, m));
    }

    private void OnEitherSaid(IMessage m)
    {
        if (_learner.Status is LearnerStatus.Idle or LearnerStatus.Failed) OnPupilSaid(m);
        else OnTeacherSaid(m);
    }

    private void LearningLinkUp(Incarnation peer)
    {
        LearnerStep(new TeacherLinked(peer));
        DonorStep(new PupilLinked(peer));
    }

    private void LearningLinkDown(Incarnation peer, string why)
    {
        LearnerStep(new TeacherGone(peer, why));
        DonorStep(new PupilGone(peer, why));
    }

    private void TellPeer(Incarnation to, IMessage message)
    {
        if (_peers.Find(to) is { } peer) peer.Actor(_tag.Trainer).Tell(message, Self);
    }

    private void OnDropPeers()
    {
        LearnerStep(new GiveUpLearning("this worker greets the coordinator anew"));
        DonorStep(new DonorLeft());
        _view = null; // what this worker learns from here on lies in the same memory
        _peers.DropAll();
    }

    // ---- Alignment ----

    private void OnAlignState(AlignState m)
    {
        if (m.Action != AlignAction.Replay)
        {
            LearnerStep(new GiveUpLearning($"{m.Generation} opens with {m.Action}"));
            _device.Tell(new Align(m), Self);
            return;
        }

        _replay = m;
        LearnerStep(new FinishAt(m.Generation, m.Target, _entered!.Members));
    }

    private bool CancelReplay(Generation generation)
    {
        if (_replay is null) return false;
        _replay = null;
        LearnerStep(new GiveUpLearning("a fence"));
        Self.Tell(new StateFailed(generation, "cancelled by a fence"), Self);
        return true;
    }

    private void OnFinished(Generation generation, string? failure)
    {
        if (_replay is not { } order || order.Generation != generation) return;
        _replay = null;
        if (failure is null) _device.Tell(new Align(order with { Action = AlignAction.Keep }), Self);
        else Self.Tell(new StateFailed(generation, failure), Self);
    }

    // ---- The learner ----

    private void OnDeviceLearned(LearnerInput m)
    {
        Feed(new StateReplaced());
        LearnerStep(m);
    }

    private void OnLearnerTick()
    {
        _learner.Tick(_clock.Now);
        ExecuteLearner();
    }

    private void LearnerStep(LearnerInput input)
    {
        _learner.Step(input, _clock.Now);
        ExecuteLearner();
    }

    private void ExecuteLearner()
    {
        foreach (var output in _learner.Drain()) Execute(output);
        var learns = _learner.Status is not (LearnerStatus.Idle or LearnerStatus.Failed);
        var spilled = learns ? _learned?.SpilledBytes ?? 0 : 0;
        if (spilled > 0 && !_spills)
            Log(LogLevel.Info, $"learner: memory is full, steps wait in {_options.FeedFolder}");
        _spills = spilled > 0;
        _options.Board.WaitingBytes = learns ? (_learned?.HeldBytes ?? 0, spilled) : (0, 0);
        _options.Board.Learning = !learns ? "" : $"{_learner.Status}, {_learner.Lag} steps behind"
            + (spilled > 0 ? $", {spilled >> 20} MB of steps on disk" : "");
        if (learns && !Timers.IsTimerActive(LearnerTimer))
            Timers.StartSingleTimer(LearnerTimer, LearnerTick.Instance, LearnerTickEvery);
    }

    private void Execute(LearnerOutput output)
    {
        switch (output)
        {
            case TellTeacher o: TellPeer(o.To, o.Message); break;
            case TellLeader o: SendToCoordinator(o.Message); break;
            case LinkTeachers o: LinkTeachers(o.Members); break;
            case BeginCopy o: _learned!.BeginCopy(o.Step, _newState()); break;
            case TakeCopy o: _device.Tell(new TakeLearned(o, _learned!.EndCopy()!), Self); break;
            case ApplyFed o: _device.Tell(new ApplyLearned(o, _learned!), Self); break;
            case ForgetSteps o: _learned!.Forget(o.UpTo); break;
            case ClearMemory o: _learned?.Clear(o.Epoch, o.TakesMore); break;
            case FinishReached o: OnFinished(o.Generation, null); break;
            case FinishFailed o: OnFinished(o.Generation, o.Why); break;
            case DropState: Feed(new StateReplaced()); break;
            case LearnerNote o: Log(LogLevel.Info, $"learner: {o.Text}"); break;
            default: throw Invariant.Unhandled(output);
        }
    }

    private void LinkTeachers(IReadOnlyList<Member> members)
    {
        _peers.Follow(members);
        // Links that were up before are not told again.
        foreach (var member in members)
            if (_peers.Find(new Incarnation(member.Incarnation)) is not null)
                Self.Tell(new TeacherLinked(new Incarnation(member.Incarnation)), Self);
    }
}
