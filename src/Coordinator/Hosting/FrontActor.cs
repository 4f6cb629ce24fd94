using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Coordinator.Hosting;

/// <summary>What the front needs around it.</summary>
/// <param name="Walls">Makes the first wall and those of jobs that go on, with the front as the parent of their
/// actors.</param>
/// <param name="New">Makes the wall of a job beside the first; null when there are too many.</param>
/// <param name="Renew">Makes a membership in the place of the first wall's, which broke.</param>
/// <param name="Clock">Time.</param>
/// <param name="Log">Where it writes.</param>
/// <param name="JobOver">Told of a job's end when no other runs.</param>
/// <param name="Failed">Told when the coordinator cannot go on.</param>
internal sealed record FrontShell(
    Func<IActorContext, IActorRef, IReadOnlyList<JobWall>> Walls,
    Func<IActorContext, IActorRef, TakeJob, JobWall?> New,
    Func<IActorContext, IActorRef, JobWall, IActorRef> Renew,
    MonotonicClock Clock, ILogSink Log, Action<StatusReport> JobOver, Action<Exception> Failed)
{
    public required LeaderToken Token { get; init; }

    /// <summary>The job that a command was about whose effect is durable, by the number that its client gave it (L6);
    /// null: there is no such command.</summary>
    public required Func<string, string?> JobOf { get; init; }

    /// <summary>Jobs that go on and whose folders did not answer yet.</summary>
    public IReadOnlyList<JobHistory> Late { get; init; } = [];

    public required GoOnLate GoOn { get; init; }
}

/// <summary>
/// The name "coordinator" of this process: hands each worker to the wall of one job, and each command to the job that
/// it names. Who gets whom is decided by <see cref="JobDeal"/>; a worker goes from one job to another only when it
/// trains in none. It looks at no message of a job.
/// </summary>
internal sealed partial class FrontActor : ReceiveActor, IWithTimers
{
    private const string Source = "front";
    private static readonly TimeSpan DealInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MoveTime = TimeSpan.FromSeconds(10);

    private readonly FrontShell _shell;
    private readonly List<JobWall> _walls = [];
    private readonly List<Seat> _seats = []; // in the order of their first words
    private readonly Dictionary<Incarnation, Seat> _byProcess = []; // looked up only, never walked
    private JobWall _first = null!;
    private long _orders;

    /// <summary>A worker process and the wall that it speaks to.</summary>
    private sealed class Seat(Incarnation incarnation, string name, Peer peer, JobWall wall)
    {
        public Incarnation Incarnation { get; } = incarnation;
        public string Name { get; } = name;
        public Peer Peer { get; set; } = peer;
        public JobWall Wall { get; set; } = wall;
        /// <summary>It was asked to leave its wall for this one.</summary>
        public JobWall? MovesTo { get; set; }
        public Instant MovesUntil { get; set; }
    }

    private sealed record Tick;

    public FrontActor(FrontShell shell)
    {
        _shell = shell;
        On<Tick>(_ => Deal());
        On<LateTick>(_ => TryLate());
        On<LinkUp>(m => WallOf(m.Peer).Membership.Forward(m));
        On<LinkDown>(OnLinkDown);
        On<TakeJob>(OnTakeJob);
        On<TakeStop>(OnTakeStop);
        On<TakeScale>(OnTakeScale);
        On<TakeProfile>(m => ChooseJob(m.Job, "profile")?.Job.Forward(m));
        On<WallOver>(OnWallOver);
        On<MembershipBroke>(OnMembershipBroke);
        On<ProcessEnded>(m => { foreach (var wall in _walls) wall.Job.Forward(m); });
        On<MembershipInput>(m => { foreach (var wall in _walls) wall.Membership.Forward(m); });
        On<IMessage>(OnWorkerMessage);
        Receive<Undeliverable>(m => _shell.Log.Write(LogLevel.Debug, Source, m.ToString()));
    }

    /// <summary>What breaks here would break all jobs: this coordinator must not lead on, and says why.</summary>
    private void On<T>(Action<T> handle) => Receive<T>(m =>
    {
        try
        {
            handle(m);
        }
        catch (Exception e)
        {
            _shell.Log.Write(LogLevel.Error, Source, $"the front cannot go on: {e.Message}", e);
            _shell.Failed(e);
            Context.Stop(Self);
        }
    });

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _walls.AddRange(_shell.Walls(Context, Self));
        _first = _walls[0];
        _orders = _walls.Max(w => w.Order);
        if (Live().Count > 0) StartDealing();
        StartLate();
    }

    private void StartDealing() => Timers.StartPeriodicTimer("deal", new Tick(), DealInterval);

    // ---- Workers ----

    private JobWall WallOf(Peer peer) => peer.Id is { } id && Find(id.Incarnation) is { } seat ? seat.Wall : _first;

    private Seat? Find(Incarnation incarnation) => _byProcess.GetValueOrDefault(incarnation);

    private void OnLinkDown(LinkDown m)
    {
        WallOf(m.Peer).Membership.Forward(m);
        _held.RemoveAll(h => h.Peer == m.Peer);
        if (m.Peer.Id is not { } id || Find(id.Incarnation) is not { } seat || seat.Peer != m.Peer) return;
        _seats.Remove(seat);
        _byProcess.Remove(seat.Incarnation);
    }

    private void OnWorkerMessage(IMessage message)
    {
        if (Remoting.PeerOf(Sender) is not { Id: { } id } peer)
        {
            _first.Membership.Forward(message);
            return;
        }

        if (Holds(id.Incarnation, peer, message)) return;
        if (message is Hello hello && hello.Incarnation == id.Incarnation.Value) Place(id.Incarnation, peer, hello);
        WallOf(peer).Membership.Forward(message);
    }

    /// <summary>A worker that brings a job's state goes back to it; one without goes where it is needed.</summary>
    private void Place(Incarnation incarnation, Peer peer, Hello hello)
    {
        if (Find(incarnation) is not { } seat)
        {
            var job = _walls.Find(w => w.Running is { } d && d.JobId == hello.JobId);
            seat = new Seat(incarnation, hello.WorkerName, peer, job ?? _first);
            if (job is null && hello.JobId.Length == 0) seat.Wall = Choose(seat);
            _seats.Add(seat);
            _byProcess[incarnation] = seat;
            return;
        }

        seat.Peer = peer;
        if (hello.JobId.Length > 0) return;
        var target = seat.MovesTo is { Running: not null } wish ? wish : Choose(seat);
        seat.MovesTo = null;
        if (target == seat.Wall) return;
        _shell.Log.Write(LogLevel.Info, Source, $"{seat.Name} goes to {Named(target)}");
        seat.Wall.Membership.Tell(new WorkerMoved(incarnation));
        seat.Wall = target;
    }

    private static string Named(JobWall wall) => wall.Running is { } d ? d.JobId : "no job";

    private JobWall Choose(Seat newcomer)
    {
        var jobs = Live();
        if (jobs.Count <= 1) return jobs.Count == 0 ? _first : jobs[0];
        var idle = Idle(jobs).FindAll(s => s != newcomer).Count + 1;
        var gets = JobDeal.Of(jobs.ConvertAll(w => w.Need(Have(w, newcomer))), idle);
        var at = Array.FindIndex(gets, n => n > 0);
        return at < 0 ? _first : jobs[at];
    }

    private List<JobWall> Live() => [.. _walls.Where(w => w.Running is not null).OrderBy(w => w.Order)];

    private int Have(JobWall wall, Seat? without = null) =>
        _seats.Count(s => s != without && (s.MovesTo ?? s.Wall) == wall);

    /// <summary>Workers that train nothing and that their wall makes no use of.</summary>
    private List<Seat> Idle(List<JobWall> jobs)
    {
        var idle = _seats.FindAll(s => s.Wall.Running is null && s.MovesTo is null);
        foreach (var wall in jobs)
        {
            var surplus = Have(wall) - wall.Need(0).Want;
            if (surplus <= 0) continue;
            var members = wall.Board.Read().Workers.Where(w => w.State == "member").Select(w => w.Name).ToList();
            var spare = _seats.FindAll(s => s.Wall == wall && s.MovesTo is null && !members.Contains(s.Name));
            idle.AddRange(spare.TakeLast(surplus));
        }

        return idle;
    }

    private void Deal()
    {
        foreach (var late in _seats.Where(s => s.MovesTo is not null && _shell.Clock.Now >= s.MovesUntil))
            late.MovesTo = null; // it had become a member, or it is about to be lost
        var jobs = Live();
        if (jobs.Count > 1 || _walls.Count > 1) DealIdle(jobs);
        foreach (var wall in _walls)
        {
            var wait = jobs.Exists(w => w != wall && w.Need(Have(w)) is var need && need.Have < need.Want);
            if (wait == wall.OthersWait) continue;
            wall.OthersWait = wait;
            wall.Membership.Tell(new OthersWait(wait));
        }

        if (jobs.Count == 0) Timers.Cancel("deal");
    }

    private void DealIdle(List<JobWall> jobs)
    {
        var idle = Idle(jobs);
        var gets = JobDeal.Of(jobs.ConvertAll(w => w.Need(Have(w))), idle.Count);
        for (var i = 0; i < gets.Length; i++)
        {
            for (var n = 0; n < gets[i]; n++)
            {
                if (idle.Find(s => s.Wall != jobs[i]) is not { } seat) break;
                idle.Remove(seat);
                (seat.MovesTo, seat.MovesUntil) = (jobs[i], _shell.Clock.Now + MoveTime);
                seat.Wall.Membership.Tell(new GiveAway(seat.Incarnation, $"{jobs[i].Running!.JobId} needs it"));
            }
        }
    }

    // ---- Jobs ----

    private void OnTakeJob(TakeJob m)
    {
        var job = m.Description.Job.Job;
        if (_walls.Find(w => w.Is(job) && (m.Folder is not null || w != _first)) is { } same)
        {
            Refuse(ExitCode.Cluster, $"a job named {job} is here already, as {same.Running!.JobId}: stop it first, "
                + "or give this one another name with --set job=NAME");
            return;
        }

        if (LateJob(job) is { } late)
        {
            Refuse(ExitCode.Cluster, LateText(late));
            return;
        }

        if (WallFor(m) is not { } wall) return;

        if (wall.Running is null)
        {
            (wall.Running, wall.Order, wall.Scaled) = (m.Description, ++_orders, 0);
            if (wall != _first) _walls.Add(wall);
            StartDealing();
        }

        wall.Job.Forward(m);
        Deal();
    }

    private JobWall? WallFor(TakeJob m)
    {
        if (m.Folder is null) return _first;
        try
        {
            if (_shell.New(Context, Self, m) is { } wall) return wall;
            Refuse(ExitCode.Cluster, "too many jobs run and wait here: stop some, or use another coordinator");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UserException)
        {
            Refuse(ExitCode.Cluster, $"the folder of this job cannot be used: {e.Message}");
        }

        return null;
    }

    private void OnWallOver(WallOver m)
    {
        if (_walls.Find(w => w.Name == m.Wall && w.Running is not null) is not { } wall) return;
        wall.Running = null;
        // What waits is told what its workers may do before they are let go; the walls of ended jobs are cleared away
        // when nobody speaks to them any more.
        foreach (var old in _walls.Where(w => w != _first && w.Running is null && _seats.TrueForAll(s => s.Wall != w))
            .ToList())
        {
            _walls.Remove(old);
            Context.Stop(old.Job);
            Context.Stop(old.Membership);
            old.Metrics.Dispose();
        }

        Deal();
        if (Live().Count == 0) _shell.JobOver(m.Report);
    }

    /// <summary>
    /// Its job has failed, durably and with that reason, and its workers are let go; the other walls hear nothing of
    /// it. The first wall, where workers without a job are, gets another membership.
    /// </summary>
    private void OnMembershipBroke(MembershipBroke m)
    {
        if (_walls.Find(w => w.Name == m.Wall) is not { } wall) return;
        var text = $"the membership of this job broke: {m.Cause.Message}";
        wall.Board.PutMembership(new StatusReport { Membership = "closed", Reasons = [text] });
        wall.Job.Tell(new MembershipSaid(new JobIsHopeless(text)));
        if (wall == _first)
        {
            if (++wall.Failures > JobWall.FailuresMax)
            {
                _shell.Failed(m.Cause);
                return;
            }

            wall.Membership = _shell.Renew(Context, Self, wall);
        }

        var release = new Release
        {
            LeaderToken = _shell.Token.Value, ExitCode = (int)ExitCode.JobFailed, Reason = text, Stay = wall.OthersWait,
        };
        foreach (var seat in _seats.Where(s => s.Wall == wall)) seat.Peer.Actor("node").Tell(release, Self);
    }

    private void OnTakeStop(TakeStop m)
    {
        var live = Live();
        if (IsAnswered(m.Command, TakeStop.AnswerOf)) return;
        if (m.All && live.Count > 1)
        {
            Sender.Tell(new Accepted { Text = $"{live.Count} jobs save at their next steps and end" });
            foreach (var wall in live) wall.Job.Tell(m, ActorRefs.NoSender);
        }
        else if (ChooseJob(m.Job, "stop") is { } wall)
        {
            wall.Job.Forward(m);
        }
    }

    private void OnTakeScale(TakeScale m)
    {
        if (IsAnswered(m.Command, job => TakeScale.AnswerOf(job, m.Workers))
            || ChooseJob(m.Job, "scale") is not { } wall) return;
        wall.Job.Forward(m);
        wall.Scaled = m.Workers;
        Deal();
    }

    /// <summary>
    /// Whoever led took it, and the answer was lost: it is the same again, whatever has become of the job (L6).
    /// </summary>
    private bool IsAnswered(string command, Func<string, string> answer)
    {
        if (command.Length == 0 || _shell.JobOf(command) is not { } job) return false;
        Sender.Tell(new Accepted { Text = answer(job) });
        return true;
    }

    private JobWall? ChooseJob(string? job, string what)
    {
        var live = Live();
        if (job is null && live.Count <= 1) return live.Count == 0 ? _first : live[0];
        if (job is not null && live.Find(w => w.Is(job)) is { } named) return named;
        if (job is not null && LateJob(job) is { } late)
        {
            Refuse(ExitCode.Cluster, LateText(late));
            return null;
        }

        var known = string.Join(", ", live.Select(w => $"{w.Running!.Job.Job} ({w.Running.JobId})"));
        Refuse(ExitCode.Usage, job is null ? $"{live.Count} jobs are here ({known}): say with --job which one to {what}"
            : $"no job '{job}' runs here; " + (known.Length == 0 ? "there is none" : known));
        return null;
    }

    private void Refuse(ExitCode code, string text) => Sender.Tell(new Status.Failure(new UserException(code, text)));
}
