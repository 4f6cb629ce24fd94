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
}
