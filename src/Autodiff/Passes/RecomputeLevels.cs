namespace Convoy.Autodiff.Passes;

/// <summary>
/// Chooses what stays. The forward pass is cut into pieces that save about the same bytes; around each of the even
/// places the cut is taken that the fewest bytes cross, among equals the nearest. What crosses a cut, and the last
/// piece (its backward pass comes first), stays; with more than one level the pieces are cut again.
/// </summary>
internal sealed class RecomputeLevels
{
    private readonly ForwardPart _part;
    private readonly int[] _chain; // nodes that can be dropped, in forward order
    private readonly int[] _levels;

    private RecomputeLevels(ForwardPart part)
    {
        _part = part;
        _chain = [.. Enumerable.Range(0, part.Graph.Nodes.Length).Where(part.CanDrop)];
        _levels = new int[part.Graph.Nodes.Length];
        foreach (var id in _chain) _levels[id] = int.MaxValue;
    }

    /// <summary>Values that the backward pass reads: the n of the rule of the square root.</summary>
    public static int SavedValues(ForwardPart part) =>
        Enumerable.Range(0, part.Graph.Nodes.Length).Count(id => part.CanDrop(id) && part.IsRead[id]);

    public static int[] Cut(ForwardPart part, int pieces, int depth)
    {
        var levels = new RecomputeLevels(part);
        levels.Split(0, levels._chain.Length, 0, pieces, depth);
        return part.WithViews(levels._levels);
    }

    /// <summary>
    /// All saved values in the order in which to drop them: least work per byte first. Ties in order of the graph.
    /// </summary>
    /// <param name="part">The training graph and what of it is forward.</param>
    /// <param name="work">What it takes to apply a node again, in any unit.</param>
    public static int[] ByPrice(ForwardPart part, Func<int, double> work) =>
    [
        .. Enumerable.Range(0, part.Graph.Nodes.Length)
            .Where(id => part.CanDrop(id) && part.IsRead[id])
            .OrderBy(id => work(id) / Math.Max(1, part.BytesOf(id))).ThenBy(id => id),
    ];

    /// <summary>Every value is dropped that can be made again.</summary>
    public static int[] All(ForwardPart part) =>
        part.WithViews([.. Enumerable.Range(0, part.Graph.Nodes.Length).Select(id => part.CanDrop(id) ? 1 : 0)]);

    /// <summary>These saved values are dropped, and what leads to them.</summary>
    public static int[] Drop(ForwardPart part, ReadOnlySpan<int> dropped)
    {
        var levels = new int[part.Graph.Nodes.Length];
        // What backward does not read is only made again on the way to something that it does.
        for (var id = 0; id < levels.Length; id++) levels[id] = part.CanDrop(id) && !part.IsRead[id] ? 1 : 0;
        foreach (var id in dropped) levels[id] = 1;
        return part.WithViews(levels);
    }

    private void Split(int from, int end, int level, int pieces, int depth)
    {
        var cuts = Cuts(from, end, pieces);
        foreach (var cut in cuts)
        {
            for (var i = from; i < cut; i++)
                if (_part.LastForwardUse(_chain[i]) >= _chain[cut]) Keep(i, level);
        }

        var start = from;
        foreach (var cut in cuts)
        {
            if (depth > 1) Split(start, cut, level + 1, pieces, depth - 1);
            else
                for (var i = start; i < cut; i++) Keep(i, level + 1);
            start = cut;
        }

        // The last piece is not made again, but with more levels it is cut as well.
        if (depth > 1) Split(start, end, level, pieces, depth - 1);
        else
            for (var i = start; i < end; i++) Keep(i, level);
    }

    private void Keep(int index, int level) => _levels[_chain[index]] = Math.Min(_levels[_chain[index]], level);

    // Places in the chain before which a new piece starts.
    private List<int> Cuts(int from, int end, int pieces)
    {
        var before = new long[end - from + 1];
        for (var i = from; i < end; i++)
            before[i - from + 1] = before[i - from] + (_part.IsRead[_chain[i]] ? _part.BytesOf(_chain[i]) : 0);
        var cuts = new List<int>();
        for (var j = 1; j < pieces; j++)
        {
            var (least, most) = (before[^1] * ((2 * j) - 1) / (2 * pieces), before[^1] * ((2 * j) + 1) / (2 * pieces));
            var (best, bestPrice) = (-1, (long.MaxValue, long.MaxValue));
            for (var at = from + 1; at < end; at++)
            {
                if (before[at - from] < least || before[at - from] > most) continue;
                var price = (Crossing(from, at), Math.Abs((2 * before[at - from]) - least - most));
                if (price.CompareTo(bestPrice) < 0) (best, bestPrice) = (at, price);
            }

            if (best > (cuts.Count > 0 ? cuts[^1] : from)) cuts.Add(best);
        }

        return cuts;
    }

    private long Crossing(int from, int cut)
    {
        var bytes = 0L;
        for (var i = from; i < cut; i++)
            if (_part.LastForwardUse(_chain[i]) >= _chain[cut]) bytes += _part.BytesOf(_chain[i]);
        return bytes;
    }
}
