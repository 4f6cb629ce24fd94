using Convoy.Actors;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Security;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Hosting;

/// <summary>What the coordinator's actors are made with; whoever hosts them has the process around it.</summary>
internal sealed record CoordinatorParts
{
    public required CoordinatorOptions Options { get; init; }
    public required ControlJournal Journal { get; init; }
    public required CheckpointStore Store { get; init; }
    public required StatusBoard Board { get; init; }
    public required MetricsFile Metrics { get; init; }
    /// <summary>Folder of metrics.jsonl.</summary>
    public required string StateFolder { get; init; }
    public required TimeSpan LeaseLife { get; init; }
    public required Action<StatusReport> JobOver { get; init; }
    public required Action<int> WorkersWanted { get; init; }
    public required Action<Exception> Failed { get; init; }
    /// <summary>Links must outlast silences this long.</summary>
    public Action<TimeSpan> Outlast { get; init; } = _ => { };
}

/// <summary>The two actors of a coordinator: who trains, and what.</summary>
internal sealed record CoordinatorActors(IActorRef Membership, IActorRef Job)
{
    public static CoordinatorActors Start(ActorSystem system, CoordinatorParts parts)
    {
        var (options, journal) = (parts.Options, parts.Journal);
        var history = journal.FoldMembership();
        parts.Store.Recover(history.Highest.Next);
        var clock = new MonotonicClock(options.Time);
        var jobShell = new JobShell(journal, clock, options.Time, parts.Board, options.Log, parts.Metrics, parts.Store,
            parts.StateFolder, parts.JobOver);
        var job = system.ActorOf(Props.Create(() => new JobActor(jobShell)), "job");

        var protocol = new MembershipProtocol(journal.Token, history, options.Clocks, options.Casts);
        var shell = new MembershipShell(journal, clock, parts.Board, options.Log, parts.WorkersWanted, parts.Failed)
        {
            LeaseLife = parts.LeaseLife, FanOut = options.Casts.FanOut, Clocks = options.Clocks,
            Outlast = parts.Outlast,
            Revoked = () => options.Security?.Credentials.Current.Revoked ?? RevocationList.Empty,
        };
        var membership = system.ActorOf(
            Props.Create(() => new MembershipActor(protocol, shell, job))
                .WithDispatcher(Dispatchers.Pinned), "coordinator");
        job.Tell(new MembershipIs(membership));
        return new CoordinatorActors(membership, job);
    }
}
