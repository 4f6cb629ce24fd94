using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Operators;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>
/// Elementwise functions with operators from <see cref="Operators"/>. The output may be exactly one of the inputs
/// (in place); partial overlap is not allowed. All buffers are contiguous unless strides are given.
/// </summary>
public static unsafe class Elementwise
{
    /// <summary>y[i] = op(x[i]).</summary>
    public static void Unary<T, TOp>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IUnaryOperator
    {
        Sizes.AtLeast(y.Length, x.Length);
        if (typeof(T) == typeof(float)) FloatElementwise.Unary<TOp>(x.AsFloat(), y.AsFloat());
        else ElementwiseReference.Unary<T, TOp>(x, y);
    }

    /// <summary>y[i] = op(a[i], b[i]).</summary>
    public static void Binary<T, TOp>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IBinaryOperator
    {
        Sizes.AtLeast(b.Length, a.Length);
        Sizes.AtLeast(y.Length, a.Length);
        if (typeof(T) == typeof(float)) FloatElementwise.Binary<TOp>(a.AsFloat(), b.AsFloat(), y.AsFloat());
        else ElementwiseReference.Binary<T, TOp>(a, b, y);
    }

    /// <summary>y[r, i] = op(a[r, i], row[i]): one row against every row of a.</summary>
    public static void BinaryRow<T, TOp>(ReadOnlySpan<T> a, ReadOnlySpan<T> row, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IBinaryOperator
    {
        Sizes.AtLeast(y.Length, a.Length);
        if (a.IsEmpty) return;
        var (n, rows) = (row.Length, Sizes.Rows(a.Length, row.Length));
        for (var r = 0; r < rows; r++) Binary<T, TOp>(a.Slice(r * n, n), row, y.Slice(r * n, n));
    }

    /// <summary>y[r, i] = op(a[r, i], column[r]): one value for each row of a.</summary>
    public static void BinaryColumn<T, TOp>(ReadOnlySpan<T> a, ReadOnlySpan<T> column, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IBinaryOperator
    {
        Sizes.AtLeast(y.Length, a.Length);
        if (a.IsEmpty) return;
        var n = Sizes.Rows(a.Length, column.Length);
        for (var r = 0; r < column.Length; r++)
            BinaryScalar<T, TOp>(a.Slice(r * n, n), column[r], y.Slice(r * n, n));
    }

    /// <summary>y[i] = op(a[i], b).</summary>
    public static void BinaryScalar<T, TOp>(ReadOnlySpan<T> a, T b, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IBinaryOperator
    {
        Sizes.AtLeast(y.Length, a.Length);
        if (typeof(T) == typeof(float))
            FloatElementwise.BinaryScalar<TOp>(a.AsFloat(), float.CreateTruncating(b), y.AsFloat());
        else ElementwiseReference.BinaryScalar<T, TOp>(a, b, y);
    }

    /// <summary>
    /// y (contiguous, of shape dims) = op(a, b) with any strides in elements; stride 0 broadcasts. At most 8
    /// dimensions.
    /// </summary>
    public static void BinaryStrided<T, TOp>(
        ReadOnlySpan<int> dims, ReadOnlySpan<T> a, ReadOnlySpan<int> stridesA, ReadOnlySpan<T> b,
        ReadOnlySpan<int> stridesB, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IBinaryOperator =>
        ElementwiseReference.BinaryStrided<T, TOp>(dims, a, stridesA, b, stridesB, y);

    /// <summary>y (contiguous, of shape dims) = x with any strides in elements: transpose, slice, broadcast.</summary>
    public static void CopyStrided<T>(
        ReadOnlySpan<int> dims, ReadOnlySpan<T> x, ReadOnlySpan<int> strides, Span<T> y) where T : unmanaged
    {
        if (sizeof(T) != sizeof(float) || !FloatStrided.Fits(dims))
        {
            ElementwiseReference.CopyStrided(dims, x, strides, y);
            return;
        }

        var (last, count) = (0L, 1L);
        for (var d = 0; d < dims.Length; d++)
        {
            if (strides[d] < 0) throw new ArgumentException($"stride {strides[d]} of axis {d} is negative");
            last += (dims[d] - 1L) * strides[d];
            count *= dims[d];
        }

        if (count == 0) return;
        Sizes.AtLeast(x.Length, last + 1);
        Sizes.AtLeast(y.Length, count);
        // Bits are moved, whatever they mean.
        fixed (T* px = x, py = y) FloatStrided.Copy(dims, (float*)px, strides, (float*)py);
    }
}
