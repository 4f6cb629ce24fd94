using System.Numerics;
using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>Bias gradients: per node of the slice tree, the sum of its rows.</summary>
public static unsafe class SegmentedSum
{
    /// <summary>
    /// Node i: c[i·nodeStride ..] (n elements) = Σ over rows r of the node of x[r, :]; x is rows x n, contiguous.
    /// Inside a slice: blocks of 256 rows, each added up from zero in ascending order, blocks left to right.
    /// </summary>
    public static void Rows<T>(ReadOnlySpan<T> x, int n, Span<T> c, int nodeStride, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        s.Check(s.Rows);
        Sizes.AtLeast(x.Length, (long)s.Rows * n);
        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat())
                FloatRows.Segmented(new RowTerm(px, n), n, c.AsFloat(), nodeStride, s);
            return;
        }

        SegmentedReference.Rows(x, n, c, nodeStride, s);
    }
}
