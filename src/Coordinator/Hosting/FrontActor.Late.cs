using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Hosting;

/// <summary>Tries once more to go on with a job that the leader before left.</summary>
/// <param name="context">Of the front.</param>
/// <param name="front">The parent of the wall's actors.</param>
/// <param name="late">The job.</param>
/// <param name="isLast">It fails for good when its folder does not answer now.</param>
/// <param name="wall">Null: it has failed, or its folder does not answer.</param>
/// <returns>False: it may be tried again.</returns>
internal delegate bool GoOnLate(
    IActorContext context, IActorRef front, JobHistory late, bool isLast, out JobWall? wall);

// Jobs beside the first one whose folders did not answer when this leader began. What a disk or a share does not
// answer now it may answer in a moment, and a job that has failed stays so.
internal sealed partial class FrontActor
{
    private static readonly TimeSpan LateInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LateTime = TimeSpan.FromSeconds(30);

    private readonly List<JobHistory> _late = []; // in the order of submission
    private readonly List<(Incarnation Worker, Peer Peer, Hello Hello, IActorRef From)> _held = [];
    private Instant _lateUntil;

    private sealed record LateTick;

    private void StartLate()
    {
        _late.AddRange(_shell.Late);
        if (_late.Count == 0) return;
        _lateUntil = _shell.Clock.Now + LateTime;
        Timers.StartPeriodicTimer("late", new LateTick(), LateInterval);
    }

    private void TryLate()
    {
        var isLast = _shell.Clock.Now >= _lateUntil;
        foreach (var job in _late.ToList())
        {
            if (!_shell.GoOn(Context, Self, job, isLast, out var wall)) continue;
            _late.Remove(job);
            if (wall is not null)
            {
                _shell.Log.Write(LogLevel.Info, Source, $"the folder of {job.Submitted!.JobId} answers: it goes on");
                _walls.Add(wall);
                _orders = Math.Max(_orders, wall.Order);
                StartDealing();
            }

            var its = _held.FindAll(h => h.Hello.JobId == job.Submitted!.JobId);
            _held.RemoveAll(its.Contains);
            foreach (var held in its) Self.Tell(held.Hello, held.From);
        }

        if (_late.Count == 0) Timers.Cancel("late");
    }

    private JobHistory? LateJob(string name) => _late.Find(j =>
        j.Submitted is { } job && (job.JobId == name || LeftJobs.NameOf(job) == name));

    private static string LateText(JobHistory late) =>
        $"the folder of {late.Submitted!.JobId} does not answer yet: ask again in a moment";

    /// <summary>
    /// First words of a worker that holds such a job wait with it; what it says before it is welcome is repeated after.
    /// </summary>
    private bool Holds(Incarnation worker, Peer peer, object message)
    {
        if (message is Hello hello && LateJob(hello.JobId) is not null)
        {
            _held.RemoveAll(h => h.Worker == worker);
            _held.Add((worker, peer, hello, Sender));
            return true;
        }

        return _held.Exists(h => h.Peer == peer);
    }
}
