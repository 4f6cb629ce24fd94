using System.Numerics;
using Convoy.Shared;

namespace Convoy.Kernels.Reference;

internal static class NormReference
{
    public static void Blocks<T>(ReadOnlySpan<T> x, Span<double> blocks) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<double> lanes = stackalloc double[Order.Lanes];
        for (var b = 0; b < SquaredNorm.BlockCount(x.Length); b++)
        {
            var sum = new LaneSum<double>(lanes);
            var from = b * Limits.NormBlock;
            foreach (var value in x.Slice(from, Math.Min(Limits.NormBlock, x.Length - from)))
            {
                var wide = double.CreateTruncating(value);
                sum.AddProduct(wide, wide);
            }

            blocks[b] = sum.Total();
        }
    }
}
