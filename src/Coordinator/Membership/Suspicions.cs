using Convoy.Shared.Ids;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Membership;

// Links between workers that a worker says are broken. A dead end shows itself to the coordinator too (its own link
// closes or it falls silent) and is handled there. A link is only taken for broken by itself when, some time after the
// report, both ends have spoken to the coordinator again: then nobody died, and somebody must go (asymmetric loss).
internal sealed class Suspicions
{
    private readonly List<(WorkerId A, WorkerId B, Instant Since)> _links = [];

    public void Add(WorkerId witness, WorkerId about, Instant now)
    {
        var (a, b) = witness.CompareTo(about) < 0 ? (witness, about) : (about, witness);
        if (!_links.Exists(l => l.A == a && l.B == b)) _links.Add((a, b, now));
    }

    public void Forget(WorkerId worker) => _links.RemoveAll(l => l.A == worker || l.B == worker);

    public void Clear() => _links.Clear();

    /// <summary>Links whose ends both spoke after the report was <paramref name="confirm"/> old.</summary>
    public List<(WorkerId A, WorkerId B)> Broken(WorkerRegistry workers, TimeSpan confirm) =>
        [.. _links.Where(l => Spoke(workers[l.A], l.Since + confirm) && Spoke(workers[l.B], l.Since + confirm))
            .Select(l => (l.A, l.B))];

    private static bool Spoke(WorkerRecord worker, Instant after) =>
        worker.Connected && worker.LinkUp && worker.HeardAt >= after;
}
