using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Tensors;

namespace Convoy.Coordinator.Planning;

/// <summary>The deal of one generation, or the reason why there is none.</summary>
public sealed record Deal(ShareMap? Shares, string Reason)
{
    public bool Possible => Shares is not null;
}

// Deals the slices of a step to workers in contiguous shares. Cuts never change bits (decision 4): they are only a
// matter of time, so the best ones are searched for.
//
// What a deal costs, in units of an even share's compute:
//   compute   the longest share, over the even share S / W
//   exchange  a worker sends one partial gradient per cover node of its share, so the mean number of cover nodes is how
//             many times more bytes the reduce leg moves than with one aligned subtree each
// Example S = 64, W = 3: 20,22,22 is balanced within 3% but sends 3 nodes each; 16,24,24 costs 12% of compute and
// sends 1.7; which of them wins depends on the share of a step that the exchange takes.
internal static class DealSlices
{
    /// <summary>Exchange of one gradient against compute of an even share, where nothing was measured yet.</summary>
    internal const double ExchangeShareAssumed = 0.2;

    /// <summary>
    /// The search looks at this many units at most; more slices are grouped into aligned units first.
    /// </summary>
    private const int UnitsMax = 256;

    public static Deal To(IReadOnlyList<WorkerId> members, int slices)
    {
        Invariant.Check(slices is >= 1 and <= Limits.SlicesMax, "M4 the number of slices is within its limits");
        if (members.Count == 0) return new Deal(null, "no worker to deal to");
        if (members.Count > slices)
            return new Deal(null, $"{members.Count} workers for {slices} slices: a slice is never split, so at most "
                + $"{slices} workers can train this job");

        var cuts = Cuts(slices, members.Count);
        var shares = new ShareMap(slices, members, cuts);
        Invariant.Check(shares.Check() is null, shares.Check() ?? "");
        return new Deal(shares, Describe(shares));
    }

    /// <summary>W + 1 cuts; every worker gets at least one slice.</summary>
    internal static int[] Cuts(int slices, int workers, double exchangeShare = ExchangeShareAssumed)
    {
        var unit = 1;
        while ((slices + unit - 1) / unit > UnitsMax && slices / (unit * 2) >= workers) unit *= 2;
        var units = (slices + unit - 1) / unit;
        if ((long)workers * units * units > 64_000_000) return Even(slices, workers);

        var covers = CoverCounts(units);
        int[]? best = null;
        var bestCost = double.MaxValue;
        var even = (units + workers - 1) / workers;
        for (var longest = even; longest <= Math.Min(units, 2 * even); longest++)
        {
            var (cuts, nodes) = FewestNodes(units, workers, longest, covers);
            if (cuts is null) continue;
            var cost = ((double)longest * workers / units) + (exchangeShare * nodes / workers);
            if (cost >= bestCost - 1e-12) continue;   // ties go to the better balance, which comes first
            (best, bestCost) = (cuts, cost);
        }

        if (best is null) return Even(slices, workers);
        for (var i = 0; i < best.Length; i++) best[i] = Math.Min(slices, best[i] * unit);
        return best;
    }

    private static int[] Even(int slices, int workers)
    {
        var cuts = new int[workers + 1];
        for (var i = 0; i <= workers; i++) cuts[i] = (int)((long)slices * i / workers);
        return cuts;
    }

    /// <summary>covers[from, end]: nodes of the tree that cover exactly these units.</summary>
    private static int[,] CoverCounts(int units)
    {
        var tree = new SliceTree(units);
        var covers = new int[units + 1, units + 1];
        Span<TreeNode> nodes = stackalloc TreeNode[64];
        for (var from = 0; from < units; from++)
            for (var end = from + 1; end <= units; end++)
                covers[from, end] = tree.Cover(from, end, nodes);
        return covers;
    }

    /// <summary>
    /// Among the deals whose longest share is at most <paramref name="longest"/>: one with the fewest nodes.
    /// </summary>
    private static (int[]? Cuts, int Nodes) FewestNodes(int units, int workers, int longest, int[,] covers)
    {
        const int unreachable = int.MaxValue / 2;
        var nodes = new int[workers + 1, units + 1];   // nodes[w, e]: fewest with w shares that end at e
        var from = new int[workers + 1, units + 1];
        for (var w = 0; w <= workers; w++)
            for (var e = 0; e <= units; e++) nodes[w, e] = unreachable;
        nodes[0, 0] = 0;
        for (var w = 1; w <= workers; w++)
        {
            for (var end = w; end <= Math.Min(units, w * longest); end++)
            {
                for (var start = Math.Max(w - 1, end - longest); start < end; start++)
                {
                    var sum = nodes[w - 1, start] + covers[start, end];
                    if (nodes[w - 1, start] >= unreachable || sum >= nodes[w, end]) continue;
                    (nodes[w, end], from[w, end]) = (sum, start);
                }
            }
        }

        if (nodes[workers, units] >= unreachable) return (null, 0);
        var cuts = new int[workers + 1];
        cuts[workers] = units;
        for (var w = workers; w > 0; w--) cuts[w - 1] = from[w, cuts[w]];
        return (cuts, nodes[workers, units]);
    }

    private static string Describe(ShareMap shares)
    {
        var tree = new SliceTree(shares.Slices);
        var (longest, nodes) = (0, 0);
        for (var i = 0; i < shares.Members.Count; i++)
        {
            var share = shares.ShareOf(i);
            longest = Math.Max(longest, share.Count);
            nodes += tree.Cover(share.From, share.End).Length;
        }

        var load = (double)longest * shares.Members.Count / shares.Slices;
        var wire = (double)nodes / shares.Members.Count;
        return FormattableString.Invariant(
            $"cuts {string.Join(",", shares.Cuts)}: load {load:0.00} of even, reduce leg {wire:0.00}x");
    }
}
