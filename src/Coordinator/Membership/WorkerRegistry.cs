using System.Globalization;
using Convoy.Actors.Remoting.Detection;
using Convoy.Shared;
using Convoy.Shared.Ids;

namespace Convoy.Coordinator.Membership;

/// <summary>
/// All workers ever seen, in the order of their ids. Lists, not sets: the order of a walk is part of the trace.
/// </summary>
internal sealed class WorkerRegistry
{
    private static readonly Comparer<WorkerRecord> ById = Comparer<WorkerRecord>.Create((a, b) => a.Id.CompareTo(b.Id));

    private readonly List<WorkerRecord> _workers = [];
    // Looked up only, never walked.
    private readonly Dictionary<WorkerId, WorkerRecord> _byId = [];
    private readonly Dictionary<string, WorkerRecord> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<Incarnation, WorkerRecord> _byIncarnation = [];

    public WorkerRegistry(MembershipHistory history)
    {
        _workers.AddRange(history.Workers.Select(w => new WorkerRecord(w.Worker, w.Name)));
        _workers.Sort(ById);
        foreach (var worker in _workers) Index(worker);
    }

    public IReadOnlyList<WorkerRecord> All => _workers;

    public WorkerRecord this[WorkerId id] =>
        Find(id) ?? throw new Shared.InvariantException($"M4 {id} was never registered");

    public WorkerRecord? Find(WorkerId id) => _byId.GetValueOrDefault(id);

    public WorkerRecord? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The worker that this process is now; null for a process that was replaced or let go.</summary>
    public WorkerRecord? Find(Incarnation incarnation) =>
        OfIncarnation(incarnation) is { Connected: true } worker ? worker : null;

    /// <summary>The worker whose newest process this is, lost or not.</summary>
    public WorkerRecord? OfIncarnation(Incarnation incarnation) => _byIncarnation.GetValueOrDefault(incarnation);

    public WorkerRecord Register(string name)
    {
        var worker = new WorkerRecord(FreeId(name), name);
        // At its place: thousands come in any order, and to sort for each of them would be N squared.
        var place = _workers.BinarySearch(worker, ById);
        _workers.Insert(~place, worker);
        Index(worker);
        return worker;
    }

    /// <summary>A process says Hello as this worker.</summary>
    public void Begin(
        WorkerRecord worker, Shared.Protocol.Hello hello, Shared.Time.Instant now,
        PhiAccrualOptions detection, string jobId)
    {
        _byIncarnation.Remove(worker.Incarnation);
        worker.Begin(hello, now, detection, jobId);
        _byIncarnation[worker.Incarnation] = worker;
    }

    private void Index(WorkerRecord worker)
    {
        _byId[worker.Id] = worker;
        _byName[worker.Name] = worker;
    }

    /// <summary>
    /// A worker named w3 is number 3 while that is free, whatever the order of arrival; others follow the highest.
    /// </summary>
    private WorkerId FreeId(string name)
    {
        if (name.StartsWith('w')
            && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var wish)
            && wish < Limits.WorkersMax && Find(new WorkerId(wish)) is null) return new WorkerId(wish);
        return new WorkerId(_workers.Count == 0 ? 1 : _workers[^1].Id.Value + 1);
    }
}
