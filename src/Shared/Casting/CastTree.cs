namespace Convoy.Shared.Casting;

/// <summary>From how many members on the coordinator speaks through a tree, and how many each of them tells.</summary>
/// <param name="DirectMax">Up to so many members the coordinator tells each one itself.</param>
/// <param name="FanOut">Children of each node of the tree, at least 2.</param>
public sealed record CastShape(int DirectMax, int FanOut)
{
    public static readonly CastShape Default = new(Limits.CastDirectMax, Limits.CastFanOut);

    public bool IsTree(int members) => members > DirectMax;

    /// <summary>
    /// What a cast and the answers to it may take beyond a direct message, with one dead node on each level.
    /// </summary>
    public TimeSpan TimeOf(int members, Time.ClockTable clocks) =>
        IsTree(members) ? new CastTree(members, FanOut).Depth * (clocks.CastHop + clocks.CastGather) : TimeSpan.Zero;
}

/// <summary>
/// The tree of a cast, a function of the number of members: position 0 to n-1 in the sorted list, breadth first. There
/// is nothing to set up and nothing to clean away. -1 is the coordinator.
/// </summary>
public readonly record struct CastTree(int Count, int FanOut)
{
    /// <summary>Half-open range of positions that <paramref name="position"/> tells.</summary>
    public (int From, int End) ChildrenOf(int position)
    {
        var from = (long)FanOut * (position + 1);
        return ((int)Math.Min(from, Count), (int)Math.Min(from + FanOut, Count));
    }

    public int ParentOf(int position) => position < FanOut ? -1 : (position / FanOut) - 1;

    /// <summary>True also for the position itself.</summary>
    public bool IsAbove(int above, int position)
    {
        while (position > above) position = ParentOf(position);
        return position == above;
    }

    /// <summary>Members in the subtree of a position, itself included (not the coordinator).</summary>
    public int SizeOf(int position)
    {
        var size = 0;
        for (long from = position, end = position + 1; from < Count; from = FanOut * (from + 1),
            end = (FanOut * end) + FanOut)
            size += (int)(Math.Min(end, Count) - Math.Max(0, from));
        return size;
    }

    /// <summary>Hops from the coordinator to the last member.</summary>
    public int Depth
    {
        get
        {
            var depth = 0;
            for (var at = Count - 1; at >= 0; at = ParentOf(at)) depth++;
            return depth;
        }
    }
}
