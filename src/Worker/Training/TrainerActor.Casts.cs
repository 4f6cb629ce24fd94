using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared;
using Convoy.Shared.Casting;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Worker.Training;

// A node of the tree through which a coordinator speaks to very many members (docs/protocols/cast.md).
internal sealed partial class TrainerActor
{
    private const string CastTimer = "cast";
    private readonly CastProtocol _casts;
    private bool _leaderAsks; // which rows it has; till then it is told none
    private bool _reports = true; // of all that have the same rows, only those nearest to the coordinator tell them

    private sealed class CastDue
    {
        public static readonly CastDue Instance = new();
    }

    private void OnFromCoordinator(IMessage message)
    {
        if (message is Cast or CastHeard or NeedRoster or RosterContent)
        {
            CastStep(new CastSaid(default, message));
            return;
        }

        if (message is Assign assign) OnNewLeaderAsks(assign);
        if (message is Learn learn) { OnLearn(learn); return; }
        if (message is Profile profile) { OnProfile(profile); return; }
        if (message is StepLate late) { OnStepLate(late); return; }
        if (message is Fence or Open) CastStep(new SpokenToDirectly());
        if (message is Evict) CastStep(new LetGo());
        if (message is Open) _reports = true;
        Feed(message);
    }

    /// <summary>
    /// What a leader before this one was told may have died with it (S5); rows of the time without one come after.
    /// </summary>
    private void OnNewLeaderAsks(Assign assign)
    {
        if (_reports)
            foreach (var report in _told.After(assign.LastRow)) _options.Coordinator().Tell(report, _options.Node);
        _leaderAsks = false;
        FlushReports();
    }

    private void OnCoordinatorBack(CoordinatorBack m)
    {
        _coordinatorUp = true;
        _leaderAsks = m.Token.Value > _protocol.Token.Value; // with its Assign, which is on the way
        _casts.Obey(m.Token);
        FlushReports();
        Feed(m);
    }

    private void OnFromMember(IMessage message)
    {
        if (Remoting.PeerOf(Sender)?.Id is { } id) CastStep(new CastSaid(id.Incarnation, message));
        else Log(LogLevel.Warning, $"{message.Descriptor.Name} without a sender is ignored");
    }

    private void OnCastDue()
    {
        _casts.Tick(_clock.Now);
        ExecuteCasts();
    }

    private void CastStep(CastInput input)
    {
        _casts.Step(input, _clock.Now);
        ExecuteCasts();
    }

    private void ExecuteCasts()
    {
        foreach (var output in _casts.Drain())
        {
            switch (output)
            {
                case CastSend o: SendCast(o); break;
                case CastDeliver o: OnCastDelivered(o); break;
                case CastNote o: Log(LogLevel.Debug, o.Text); break;
                case CastReach: break; // every member dials those after itself when it enters the generation
                default: throw Invariant.Unhandled(output);
            }
        }

        if (_casts.NextDeadline == Shared.Time.Instant.Never) return;
        var wait = _casts.NextDeadline - _clock.Now;
        Timers.StartSingleTimer(CastTimer, CastDue.Instance, wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
    }

    private void SendCast(CastSend output)
    {
        if (output.To == default) _options.Coordinator().Tell(output.Message, _options.Node);
        else if (_peers.Find(output.To) is { } peer) peer.Actor(_tag.Trainer).Tell(output.Message, Self);
        else Log(LogLevel.Debug, $"{output.Message.Descriptor.Name} to {output.To} is dropped: its link is gone");
    }

    private void OnCastDelivered(CastDeliver m)
    {
        if (m.Cast.Open is null)
        {
            Feed(m.Cast.Fence);
            return;
        }

        var open = CastContent.Unpack(m.Cast, m.Roster);
        _reports = RowTellers.Includes(open.Members, m.Position, m.Cast.FanOut);
        Feed(open);
        FlushReports();
    }
}
