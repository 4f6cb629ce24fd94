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
    public required LeadershipProtocol Leadership { get; init; }
    /// <summary>It took over, and goes on with the job that it finds; else that one waits to be submitted
    /// again.</summary>
    public bool GoesOn { get; init; }
    public required Action<StatusReport> JobOver { get; init; }
    public required Action<int> WorkersWanted { get; init; }
    public required Action<Exception> Failed { get; init; }
    /// <summary>What status shows of jobs beside the first one.</summary>
    public required JobBoards Boards { get; init; }
    /// <summary>Checkpoints of a job beside the first one.</summary>
    public required Func<string, CheckpointStore> StoreAt { get; init; }
    public Func<MetricsFile> NewMetrics { get; init; } = static () => new MetricsFile();
    /// <summary>The actor of a wall's job, by the wall's name.</summary>
    public Func<string, JobShell, Props> NewJob { get; init; } =
        static (_, shell) => Props.Create(() => new JobActor(shell));
    /// <summary>Links must outlast silences this long.</summary>
    public Action<TimeSpan> Outlast { get; init; } = _ => { };
}

/// <summary>The actors of a coordinator, reached through one: who trains, and what.</summary>
internal sealed record CoordinatorActors(IActorRef Membership, IActorRef Job)
{
    public static CoordinatorActors Start(ActorSystem system, CoordinatorParts parts)
    {
        var (options, journal) = (parts.Options, parts.Journal);
        var history = journal.FoldMembership();
        journal.Append(new LeaderStarted(journal.Token, journal.Holder));
        var found = parts.GoesOn
            ? TakenOver.Of(journal, parts.Store, options, parts.Metrics.GoOn(parts.StateFolder)) : null;
        if (parts.GoesOn) TakenOver.EndBeside(journal, options.Log);
        if (found is { Description: var left })
            // Whoever asks for it before its actor has said anything finds it.
            parts.Board.PutJob(new StatusReport { Job = left.Job.Job, JobId = left.JobId, State = "preparing" });
        // Members of a generation that goes on are writing their shards.
        parts.Store.Recover(found is not null && history.Opened is { } opened
            ? opened.Generation : history.Highest.Next);
        var clock = new MonotonicClock(options.Time);
        var lease = new LeaderLease(parts.Leadership, journal, clock, options.Clocks);
        var walls = 0; // only the front counts them
        var shell = new FrontShell(
            (context, front) => StartWall(context, front, parts, history, new WallPlace("", "", parts.StateFolder,
                parts.Store, parts.Board, parts.Metrics, lease, found)),
            (context, front, take) => StartWall(context, front, parts, take, $"-{++walls}", lease),
            clock, options.Log, parts.JobOver, parts.Failed)
        { Found = found };
        var front = system.ActorOf(
            Props.Create(() => new FrontActor(shell)).WithDispatcher(Dispatchers.Pinned), "front");
        if (found is not null) parts.Outlast(found.Description.Clocks.LinkSilence);
        return new CoordinatorActors(front, front);
    }

    private sealed record WallPlace(
        string Name, string Suffix, string Folder, CheckpointStore Store, StatusBoard Board, MetricsFile Metrics,
        LeaderLease Lease, TakenOver? Found);

    private static JobWall? StartWall(IActorContext context, IActorRef front, CoordinatorParts parts, TakeJob take,
        string suffix, LeaderLease lease)
    {
        lease.MustHold(); // whoever leads instead may be saving there
        var name = take.Description.Job.Job;
        var history = parts.Journal.FoldMembership(name);
        var store = parts.StoreAt(take.Description.CheckpointRoot);
        store.Recover(history.Highest.Next);
        var place = new WallPlace(
            name, suffix, take.Folder!, store, new StatusBoard(), parts.NewMetrics(), lease, Found: null);
        // Shown from the start, also when the job's actor never comes to say anything.
        place.Board.PutJob(new StatusReport { Job = name, JobId = take.Description.JobId, State = "submitted" });
        return parts.Boards.TryAdd(name, place.Board, place.Metrics)
            ? StartWall(context, front, parts, history, place) : null;
    }

    private static JobWall StartWall(IActorContext context, IActorRef front, CoordinatorParts parts,
        MembershipHistory history, WallPlace place)
    {
        var (options, clock) = (parts.Options, new MonotonicClock(parts.Options.Time));
        void Over(StatusReport report) => front.Tell(new WallOver(place.Name, report), ActorRefs.NoSender);
        var jobShell = new JobShell(parts.Journal, clock, options.Time, place.Board, options.Log, place.Metrics,
            place.Store, place.Folder, Over)
        { Lease = place.Lease, Deposed = parts.Failed, Found = place.Found, History = history };
        var wallShell = new WallShell(parts.NewJob(place.Name, jobShell), place.Board, options.Log, Over);
        var job = context.ActorOf(Props.Create(() => new WallActor(wallShell)), "wall" + place.Suffix);

        var protocol = new MembershipProtocol(parts.Journal.Token, history, options.Clocks, options.Casts,
            place.Found is { } found ? JobProtocol.FoundIn(found.Description, found.History) : null);
        var shell = new MembershipShell(
            parts.Journal, clock, place.Board, options.Log, parts.WorkersWanted, parts.Failed)
        {
            Wall = place.Name, Lease = place.Lease, FanOut = options.Casts.FanOut, Clocks = options.Clocks,
            Outlast = parts.Outlast,
            Revoked = () => options.Security?.Credentials.Current.Revoked ?? RevocationList.Empty,
        };
        var membership = context.ActorOf(
            Props.Create(() => new MembershipActor(protocol, shell, job)).WithDispatcher(Dispatchers.Pinned),
            "membership" + place.Suffix);
        job.Tell(new MembershipIs(membership));
        return new JobWall(place.Name, membership, job, place.Board, place.Metrics);
    }
}
