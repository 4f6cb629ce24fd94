using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Cli.Simulation;

/// <summary>
/// Which of several jobs each worker process belongs to, as the messages say that reach it and that it sends: told to
/// prepare one it is in it, until it is released or ends. The coordinator's side of its link is a little ahead.
/// </summary>
internal sealed class JobPlaces(IReadOnlyList<SimulatedJob> jobs)
{
    /// <summary>What was under way when a worker changed its job has arrived by then.</summary>
    private static readonly TimeSpan UnderWay = TimeSpan.FromSeconds(10);

    private sealed class Place
    {
        public SimulatedJob? Here { get; set; }
        /// <summary>As the coordinator of each host sees it: one that was stopped hears late what was said before.
        /// </summary>
        public SimulatedJob?[] At { get; } = new SimulatedJob?[2];
        public SimulatedJob? Before { get; set; }
        public Instant LeftAt { get; set; }
        /// <summary>Token of the leader that let it go for good: what that one tells it after that comes too late.
        /// </summary>
        public long EndedBy { get; set; }
    }

    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal); // looked up only
    private (string Host, SimulatedJob Job)? _move;

    /// <summary>Name of a job by its id.</summary>
    public static string NameOf(string jobId) => jobId[..Math.Max(0, jobId.LastIndexOf('-'))];

    public SimulatedJob? Of(string host) => _places.GetValueOrDefault(host)?.Here;

    public SimulatedJob? Before(string host, Instant now) =>
        _places.GetValueOrDefault(host) is { Before: { } before, LeftAt: var left } && now - left < UnderWay
            ? before : null;

    public void OnProcessStarted(string host) => _places[host] = new Place();

    public void OnSent(string from, string to, IMessage message)
    {
        if (message is Assign assign && _places.TryGetValue(to, out var place))
            place.At[IndexOf(from)] = Find(assign.JobId);
    }

    private static int IndexOf(string coordinator) => coordinator == SimulatedCluster.CoordinatorHost ? 0 : 1;

    /// <summary>The job whose message it is; null: no job's.</summary>
    public SimulatedJob? OnDelivered(string from, string to, IMessage message, Instant now)
    {
        if (IsCoordinator(to))
        {
            if (!_places.TryGetValue(from, out var sender)) return null;
            if (message is Hello hello) sender.At[IndexOf(to)] = Find(hello.JobId);
            return sender.At[IndexOf(to)];
        }

        if (!_places.TryGetValue(to, out var place)) return null;
        if (message is Assign assign && assign.LeaderToken > place.EndedBy) Move(to, place, Find(assign.JobId), now);
        var job = place.Here;
        if (message is Release { Stay: true }) Move(to, place, null, now);
        else if (message is Release release) place.EndedBy = release.LeaderToken;
        return job;
    }

    private void Move(string host, Place place, SimulatedJob? job, Instant now)
    {
        if (place.Here == job) return;
        if (place.Here is not null) (place.Before, place.LeftAt) = (place.Here, now);
        place.Here = job;
        if (job is not null) _move = (host, job);
    }

    /// <summary>The worker that the last message brought to a job.</summary>
    public (string Host, SimulatedJob Job)? TakeMove()
    {
        var move = _move;
        _move = null;
        return move;
    }

    private SimulatedJob? Find(string jobId)
    {
        foreach (var job in jobs)
            if (jobId.Length > job.Name.Length && jobId[job.Name.Length] == '-'
                && jobId.StartsWith(job.Name, StringComparison.Ordinal)) return job;
        return null;
    }

    private static bool IsCoordinator(string host) =>
        host is SimulatedCluster.CoordinatorHost or SimulatedCluster.StandbyHost;
}
