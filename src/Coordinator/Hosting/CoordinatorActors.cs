using Convoy.Actors;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
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
    /// <summary>It goes on with the jobs that it finds; else they wait to be submitted again.</summary>
    public bool GoesOn { get; init; }
    public required Action<StatusReport> JobOver { get; init; }
    /// <summary>Told of the end of every job, with the name of its wall.</summary>
    public Action<string, StatusReport> WallOver { get; init; } = static (_, _) => { };
    public required Action<int> WorkersWanted { get; init; }
    public required Action<Exception> Failed { get; init; }
    /// <summary>Told of what ended one job only.</summary>
    public Action<Exception> WallBroke { get; init; } = _ => { };
    /// <summary>What status shows of jobs beside the first one.</summary>
    public required JobBoards Boards { get; init; }
    /// <summary>Checkpoints of a job beside the first one.</summary>
    public required Func<string, CheckpointStore> StoreAt { get; init; }
    /// <summary>Rows of a job beside the first one, by its folder.</summary>
    public Func<string, MetricsFile> NewMetrics { get; init; } = static _ => new MetricsFile();
    /// <summary>The actor of a wall's job, by the wall's name.</summary>
    public Func<string, JobShell, Props> NewJob { get; init; } =
        static (_, shell) => Props.Create(() => new JobActor(shell));
    /// <summary>Where the leader and who stands by are found; empty: nobody stands by.</summary>
    public Func<string> Coordinators { get; init; } = static () => "";
    /// <summary>Links must outlast silences this long.</summary>
    public Action<TimeSpan> Outlast { get; init; } = _ => { };
}

/// <summary>The actors of a coordinator, reached through one: who trains, and what.</summary>
internal sealed record CoordinatorActors(IActorRef Membership, IActorRef Job)
{
    public static CoordinatorActors Start(ActorSystem system, CoordinatorParts parts)
    {
        var (options, journal) = (parts.Options, parts.Journal);
        var left = parts.GoesOn ? LeftJobs.Of(journal.FoldJobs()) : LeftJobs.None;
        var first = FirstPlace(parts, left.First) with { JobsOver = left.Over }; // before this leader's own records
        journal.Append(new LeaderStarted(journal.Token, journal.Holder));
        var places = new List<WallPlace> { first };
        var late = new List<JobHistory>();
        foreach (var job in left.Beside)
        {
            if (PlaceOf(parts, job, isLast: false, out var silent) is { } place) places.Add(place);
            if (silent is null) continue;
            late.Add(job);
            options.Log.Write(LogLevel.Warning, "coordinator",
                $"the folder of {job.Submitted!.JobId} does not answer, it is tried again: {silent.Message}");
        }

        var clock = new MonotonicClock(options.Time);
        var lease = new LeaderLease(parts.Leadership, journal, clock, options.Clocks);
        var walls = 0; // only the front counts them
        var shell = new FrontShell(
            (context, front) => [.. places.Select((p, i) =>
                StartWall(context, front, parts, p, lease, i == 0 ? 0 : ++walls))],
            (context, front, take) => StartWall(context, front, parts, take, ++walls, lease),
            (context, front, wall) => StartMembership(context, front, parts,
                first with { History = journal.FoldMembership(), Found = null }, lease, wall.Job, ++walls),
            clock, options.Log, parts.JobOver, parts.Failed)
        {
            Token = journal.Token,
            JobOf = command => journal.FoldCommands().FirstOrDefault(c => c.Command == command).Job?.JobId,
            Late = late,
            GoOn = (IActorContext context, IActorRef front, JobHistory job, bool isLast, out JobWall? wall) =>
            {
                lease.MustHold(); // whoever leads instead may be saving there
                var place = PlaceOf(parts, job, isLast, out var silent);
                wall = place is null ? null : StartWall(context, front, parts, place, lease, ++walls);
                return silent is null;
            },
        };
        var front = system.ActorOf(
            Props.Create(() => new FrontActor(shell)).WithDispatcher(Dispatchers.Pinned), "front");
        var found = places.Select(p => p.Found).OfType<TakenOver>().ToList();
        if (found.Count > 0) parts.Outlast(found.Max(f => f.Description.Clocks.LinkSilence));
        return new CoordinatorActors(front, front);
    }

    private sealed record WallPlace(
        string Name, string Folder, CheckpointStore Store, StatusBoard Board, MetricsFile Metrics,
        MembershipHistory History, TakenOver? Found)
    {
        /// <summary>Their workers come to the first wall: they have none of their own any more.</summary>
        public IReadOnlyDictionary<string, JobEnded> JobsOver { get; init; } = LeftJobs.None.Over;
    }

    private static WallPlace FirstPlace(CoordinatorParts parts, JobHistory? left)
    {
        var (history, lastRow) = (parts.Journal.FoldMembership(), StepNumber.Zero);
        if (parts.GoesOn) lastRow = parts.Metrics.GoOn(parts.StateFolder);
        TakenOver? found = null;
        try
        {
            found = TakenOver.Of(left, parts.Journal, parts.Store, parts.Options, lastRow);
        }
        catch (UserException e)
        {
            EndUnusable(parts, left!, e);
        }

        return Show(parts, new WallPlace(
            "", parts.StateFolder, parts.Store, parts.Board, parts.Metrics, history, found));
    }

    /// <summary>
    /// What is damaged stays so: that job has failed, and the others go on. What does not answer may answer soon.
    /// </summary>
    /// <param name="parts">Of this coordinator.</param>
    /// <param name="left">A job beside the first one.</param>
    /// <param name="isLast">It fails also when its folder does not answer.</param>
    /// <param name="silent">Not null: its folder does not answer, and it may be tried again.</param>
    /// <returns>Null: it has failed, or its folder does not answer.</returns>
    private static WallPlace? PlaceOf(CoordinatorParts parts, JobHistory left, bool isLast, out Exception? silent)
    {
        silent = null;
        MetricsFile? metrics = null;
        try
        {
            var name = LeftJobs.NameOf(left.Submitted!);
            var folder = JobSubmission.FolderOf(parts.StateFolder, name);
            var store = parts.StoreAt(JobSubmission.CheckpointsOf(folder));
            metrics = parts.NewMetrics(folder);
            var found = TakenOver.Of(left, parts.Journal, store, parts.Options, metrics.GoOn(folder));
            var place = Show(parts, new WallPlace(
                name, folder, store, new StatusBoard(), metrics, parts.Journal.FoldMembership(name), found));
            return parts.Boards.TryAdd(name, place.Board, metrics) ? place : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UserException)
        {
            metrics?.Dispose();
            if (e is not UserException && !isLast) silent = e;
            else EndUnusable(parts, left, e);
            return null;
        }
    }

    /// <summary>Durable and by name: a job is never lost in silence.</summary>
    private static void EndUnusable(CoordinatorParts parts, JobHistory left, Exception cause)
    {
        var job = left.Submitted!;
        var text = $"{job.JobId} cannot be gone on with: {cause.Message}";
        parts.Options.Log.Write(LogLevel.Error, "coordinator", text);
        if (left.Over is not null) return;
        parts.Journal.Append(
            job.JobId, new JobOver(job.JobId, JobProtocol.OutcomeFailed, left.Checkpoint?.Step ?? job.Start, text));
    }

    private static WallPlace Show(CoordinatorParts parts, WallPlace place)
    {
        // Whoever asks for it before its actor has said anything finds it.
        if (place.Found is { Description: var job })
            place.Board.PutJob(new StatusReport { Job = job.Job.Job, JobId = job.JobId, State = "preparing" });
        // Members of a generation that goes on are writing their shards.
        place.Store.Recover(place is { Found: not null, History.Opened: { } opened }
            ? opened.Generation : place.History.Highest.Next);
        return place;
    }

    private static JobWall? StartWall(IActorContext context, IActorRef front, CoordinatorParts parts, TakeJob take,
        int number, LeaderLease lease)
    {
        lease.MustHold(); // whoever leads instead may be saving there
        var name = take.Description.Job.Job;
        var history = parts.Journal.FoldMembership(name);
        var store = parts.StoreAt(take.Description.CheckpointRoot);
        store.Recover(history.Highest.Next);
        var place = new WallPlace(
            name, take.Folder!, store, new StatusBoard(), parts.NewMetrics(take.Folder!), history, Found: null);
        // Shown from the start, also when the job's actor never comes to say anything.
        place.Board.PutJob(new StatusReport { Job = name, JobId = take.Description.JobId, State = "submitted" });
        return parts.Boards.TryAdd(name, place.Board, place.Metrics)
            ? StartWall(context, front, parts, place, lease, number) : null;
    }

    private static JobWall StartWall(IActorContext context, IActorRef front, CoordinatorParts parts, WallPlace place,
        LeaderLease lease, int number)
    {
        var clock = new MonotonicClock(parts.Options.Time);
        void Over(StatusReport report)
        {
            front.Tell(new WallOver(place.Name, report), ActorRefs.NoSender);
            parts.WallOver(place.Name, report);
        }

        var jobShell = new JobShell(parts.Journal, clock, parts.Options.Time, place.Board, parts.Options.Log,
            place.Metrics, place.Store, place.Folder, Over)
        { Lease = lease, Deposed = parts.Failed, Found = place.Found, History = place.History };
        var wallShell = new WallShell(parts.NewJob(place.Name, jobShell), place.Board, parts.Options.Log, Over);
        var job = context.ActorOf(Props.Create(() => new WallActor(wallShell)), "wall" + SuffixOf(number));

        var membership = StartMembership(context, front, parts, place, lease, job, number);
        var wall = new JobWall(place.Name, membership, job, place.Board, place.Metrics);
        if (place.Found is { History.Over: null } runs)
            (wall.Running, wall.Scaled, wall.Order) =
                (runs.Description, runs.History.Scale, JobSubmission.NumberOf(runs.Description.JobId));
        return wall;
    }

    private static string SuffixOf(int number) => number == 0 ? "" : $"-{number}";

    private static IActorRef StartMembership(IActorContext context, IActorRef front, CoordinatorParts parts,
        WallPlace place, LeaderLease lease, IActorRef job, int number)
    {
        var (options, clock) = (parts.Options, new MonotonicClock(parts.Options.Time));
        void Broken(Exception cause)
        {
            parts.WallBroke(cause);
            front.Tell(new MembershipBroke(place.Name, cause), ActorRefs.NoSender);
        }

        var protocol = new MembershipProtocol(parts.Journal.Token, place.History, options.Clocks, options.Casts,
            place.Found is { } found ? JobProtocol.FoundIn(found.Description, found.History) : null)
        {
            JobsOver = place.JobsOver,
        };
        var shell = new MembershipShell(
            parts.Journal, clock, place.Board, options.Log, parts.WorkersWanted, parts.Failed)
        {
            Wall = place.Name, Place = number, Lease = lease, FanOut = options.Casts.FanOut, Clocks = options.Clocks,
            Outlast = parts.Outlast, Coordinators = parts.Coordinators, Broken = Broken,
            Revoked = () => options.Security?.Credentials.Current.Revoked ?? RevocationList.Empty,
        };
        var membership = context.ActorOf(
            Props.Create(() => new MembershipActor(protocol, shell, job)).WithDispatcher(Dispatchers.Pinned),
            "membership" + SuffixOf(number));
        job.Tell(new MembershipIs(membership));
        return membership;
    }
}
