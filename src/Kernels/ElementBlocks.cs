namespace Convoy.Kernels;

/// <summary>Work on a range of elements that depends on those elements alone.</summary>
public interface IElementBlocks
{
    /// <summary>Computes elements [from, from + count).</summary>
    void Run(int from, int count);
}

/// <summary>
/// Divides element-wise work of a caller among the threads of the team, as the kernels of <see cref="Elementwise"/> do:
/// so the number of threads never shows in the bits.
/// </summary>
public static class ElementBlocks
{
    private const int ElementsPerPart = 65_536;

    /// <param name="work">The work; it is not copied.</param>
    /// <param name="count">Elements.</param>
    /// <param name="steps">Element-wise functions that the work applies to each: what a part is worth.</param>
    public static void Run<TWork>(ref TWork work, int count, int steps)
        where TWork : struct, IElementBlocks
    {
        var parts = new Parts<TWork>(ref work, count);
        ThreadTeam.Run(ref parts, ThreadTeam.ElementParts((long)count * steps, ElementsPerPart));
    }

    private readonly ref struct Parts<TWork>(ref TWork work, int count) : ITeamWork
        where TWork : struct, IElementBlocks
    {
        private readonly ref TWork _work = ref work;

        public void Run(int part, int parts)
        {
            var (from, length) = ThreadTeam.Range(count, part, parts, Order.Lanes);
            if (length > 0) _work.Run(from, length);
        }
    }
}
