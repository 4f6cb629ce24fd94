using Convoy.Shared.Ids;

namespace Convoy.Coordinator.Membership;

// Workers to evict when links between workers are broken while all of them still reach the coordinator: the smallest
// set that touches every broken link; between sets of equal size, the one with the higher ids, so that the old members
// stay. A worker suspected by two witnesses is the cover of both links: a second witness needs no rule of its own.
internal static class LinkCover
{
    /// <summary>Above this many workers the search is greedy: highest number of broken links first.</summary>
    private const int ExactWorkersMax = 14;

    public static IReadOnlyList<WorkerId> Of(IReadOnlyList<(WorkerId A, WorkerId B)> broken)
    {
        var workers = broken.SelectMany(l => new[] { l.A, l.B }).Distinct().OrderDescending().ToList();
        return workers.Count <= ExactWorkersMax ? Exact(workers, broken) : Greedy(workers, broken);
    }

    private static List<WorkerId> Exact(List<WorkerId> workers, IReadOnlyList<(WorkerId A, WorkerId B)> broken)
    {
        for (var size = 0; size <= workers.Count; size++)
            if (Choose(workers, broken, size, 0, []) is { } cover) return cover;
        return workers;
    }

    /// <summary>First cover of the given size in the order of descending ids, which is the tie rule.</summary>
    private static List<WorkerId>? Choose(
        List<WorkerId> workers, IReadOnlyList<(WorkerId A, WorkerId B)> broken, int size, int from,
        List<WorkerId> chosen)
    {
        if (broken.All(l => chosen.Contains(l.A) || chosen.Contains(l.B))) return [.. chosen.Order()];
        if (chosen.Count == size) return null;
        for (var i = from; i < workers.Count; i++)
        {
            chosen.Add(workers[i]);
            if (Choose(workers, broken, size, i + 1, chosen) is { } cover) return cover;
            chosen.RemoveAt(chosen.Count - 1);
        }

        return null;
    }

    private static List<WorkerId> Greedy(List<WorkerId> workers, IReadOnlyList<(WorkerId A, WorkerId B)> broken)
    {
        var cover = new List<WorkerId>();
        var left = broken.ToList();
        while (left.Count > 0)
        {
            var worst = workers.MaxBy(w => left.Count(l => l.A == w || l.B == w));
            cover.Add(worst);
            left.RemoveAll(l => l.A == worst || l.B == worst);
        }

        cover.Sort();
        return cover;
    }
}
