using System.Globalization;
using Convoy.Shared;
using Convoy.Shared.Ids;

namespace Convoy.Coordinator.Membership;

/// <summary>All workers ever seen, in the order of their ids. Lists, not sets: the order of a walk is part of the trace.</summary>
internal sealed class WorkerRegistry
{
    private readonly List<WorkerRecord> _workers = [];

    public WorkerRegistry(MembershipHistory history)
    {
        foreach (var (worker, name) in history.Workers) _workers.Add(new WorkerRecord(worker, name));
        _workers.Sort((a, b) => a.Id.CompareTo(b.Id));
    }

    public IReadOnlyList<WorkerRecord> All => _workers;

    public WorkerRecord this[WorkerId id] => Find(id) ?? throw new Shared.InvariantException($"M4 {id} was never registered");

    public WorkerRecord? Find(WorkerId id) => _workers.Find(w => w.Id == id);

    public WorkerRecord? Find(string name) => _workers.Find(w => w.Name == name);

    /// <summary>The worker that this process is now; null for a process that was replaced or let go.</summary>
    public WorkerRecord? Find(Incarnation incarnation) => _workers.Find(w => w.Connected && w.Incarnation == incarnation);

    public WorkerRecord Register(string name)
    {
        var worker = new WorkerRecord(FreeId(name), name);
        _workers.Add(worker);
        _workers.Sort((a, b) => a.Id.CompareTo(b.Id));
        return worker;
    }

    /// <summary>A worker named w3 is number 3 while that is free, whatever the order of arrival; others follow the highest.</summary>
    private WorkerId FreeId(string name)
    {
        if (name.StartsWith('w') && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var wish)
            && wish < Limits.WorkersMax && Find(new WorkerId(wish)) is null) return new WorkerId(wish);
        return new WorkerId(_workers.Count == 0 ? 1 : _workers[^1].Id.Value + 1);
    }
}
