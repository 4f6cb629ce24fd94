using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;
using Convoy.Shared;

namespace Convoy.Kernels;

/// <summary>
/// Squared norms in float64: blocks of <see cref="Limits.NormBlock"/> elements in storage order, then one tree over the
/// blocks. A vector may be cut at block borders and its block sums put together again.
/// </summary>
public static unsafe class SquaredNorm
{
    public static int BlockCount(long elements) => checked((int)((elements + Limits.NormBlock - 1) / Limits.NormBlock));

    /// <summary>
    /// blocks[i] = Σ x² over block i, over 16 virtual lanes of float64 (the last block may be shorter). Infinity or
    /// NaN in x makes its block not finite.
    /// </summary>
    public static void Blocks<T>(ReadOnlySpan<T> x, Span<double> blocks) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Sizes.AtLeast(blocks.Length, BlockCount(x.Length));
        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat()) FloatNorm.Blocks(px, x.Length, blocks);
            return;
        }

        NormReference.Blocks(x, blocks);
    }

    /// <summary>The sum of the blocks by the tree; 0 without blocks. The span is used as scratch.</summary>
    public static double Tree(Span<double> blocks)
    {
        // Level by level: with leaves 0..n all present, a node sums its two children or takes the only one.
        for (var count = blocks.Length; count > 1; count = (count + 1) / 2)
        {
            for (var i = 0; i < count / 2; i++) blocks[i] = blocks[2 * i] + blocks[(2 * i) + 1];
            if (count % 2 == 1) blocks[count / 2] = blocks[count - 1];
        }

        return blocks.IsEmpty ? 0 : blocks[0];
    }
}
