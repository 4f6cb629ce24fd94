namespace Convoy.Kernels;

/// <summary>The constants of the order of sums (decision 4). Changing one changes every model's bits.</summary>
public static class Order
{
    /// <summary>K-2: terms of a contraction that form one chain of fused multiply-adds.</summary>
    public const int Block = 256;

    /// <summary>
    /// Virtual lanes of a horizontal sum: term i goes to lane i mod 16; then lane l takes lane l + 8, l + 4, l + 2,
    /// l + 1.
    /// </summary>
    public const int Lanes = 16;

    /// <summary>
    /// Terms of a reduction that the lanes take together: with more, each block of so many is summed by itself, and the
    /// blocks are added in float64, left to right, and rounded once. A lane has 256 terms at most, so the error of a
    /// float32 sum is about 256 roundings of a block, however many terms there are.
    /// </summary>
    public const int LaneBlock = 4_096;
}
