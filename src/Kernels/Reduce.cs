using System.Numerics;
using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>
/// Reductions. The terms of one output are numbered in row-major order and summed over 16 virtual lanes
/// (<see cref="Order.Lanes"/>), more than 4,096 of them in blocks (<see cref="Order.LaneBlock"/>), so an output depends
/// on its own terms only.
/// </summary>
public static unsafe class Reduce
{
    /// <summary>y[r] = Σ x[r, :], rows of n.</summary>
    public static void SumRows<T>(ReadOnlySpan<T> x, int n, Span<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = Sizes.Rows(x.Length, n);
        Sizes.AtLeast(y.Length, rows);
        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat(), py = y.AsFloat()) FloatRows.Sum(px, rows, n, py);
            return;
        }

        ReduceReference.SumRows(x, rows, n, y);
    }

    /// <summary>y[r] = Σ a[r, :]·b[r, :], each product with one rounding.</summary>
    public static void DotRows<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, int n, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = Sizes.Rows(a.Length, n);
        Sizes.AtLeast(b.Length, a.Length);
        Sizes.AtLeast(y.Length, rows);
        if (typeof(T) == typeof(float))
        {
            fixed (float* pa = a.AsFloat(), pb = b.AsFloat(), py = y.AsFloat()) FloatRows.Dot(pa, pb, rows, n, py);
            return;
        }

        ReduceReference.DotRows(a, b, rows, n, y);
    }

    /// <summary>Σ x.</summary>
    public static T Sum<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> y = stackalloc T[1];
        if (!x.IsEmpty) SumRows(x, x.Length, y);
        return y[0];
    }

    /// <summary>y[r] = the largest of x[r, :]; NaN wins. An empty row does not exist.</summary>
    public static void MaxRows<T>(ReadOnlySpan<T> x, int n, Span<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = Sizes.Rows(x.Length, n);
        Sizes.AtLeast(y.Length, rows);
        for (var r = 0; r < rows; r++) y[r] = x[(r * n) + ReduceReference.ArgMax(x.Slice(r * n, n))];
    }

    /// <summary>y[r] = place of the largest of x[r, :]; the first of equals, and the first NaN if there is
    /// one.</summary>
    public static void ArgMaxRows<T>(ReadOnlySpan<T> x, int n, Span<int> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = Sizes.Rows(x.Length, n);
        Sizes.AtLeast(y.Length, rows);
        for (var r = 0; r < rows; r++) y[r] = ReduceReference.ArgMax(x.Slice(r * n, n));
    }

    /// <summary>
    /// y = Σ of x (contiguous, of shape dims) over the axes whose bit is set in <paramref name="axes"/> (bit 0 = first
    /// axis); y is contiguous over the axes that stay.
    /// </summary>
    public static void Sum<T>(ReadOnlySpan<int> dims, uint axes, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) != typeof(float))
        {
            ReduceReference.Sum(dims, axes, x, y);
            return;
        }

        var (elements, outputs) = (1L, 1L);
        for (var d = 0; d < dims.Length; d++)
        {
            elements *= dims[d];
            if ((axes >> d & 1) == 0) outputs *= dims[d];
        }

        Sizes.AtLeast(x.Length, elements);
        Sizes.AtLeast(y.Length, outputs);
        fixed (float* px = x.AsFloat(), py = y.AsFloat()) FloatReduce.Sum(dims, axes, px, py);
    }
}
