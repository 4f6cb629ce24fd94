using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Operators;

namespace Convoy.Kernels.Reference;

internal static class ElementwiseReference
{
    public static void Unary<T, TOp>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IUnaryOperator
    {
        for (var i = 0; i < x.Length; i++) y[i] = Scalar<T>.Apply<TOp>(x[i]);
    }

    public static void Binary<T, TOp>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IBinaryOperator
    {
        for (var i = 0; i < a.Length; i++) y[i] = Scalar<T>.Apply<TOp>(a[i], b[i]);
    }

    public static void BinaryScalar<T, TOp>(ReadOnlySpan<T> a, T b, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IBinaryOperator
    {
        for (var i = 0; i < a.Length; i++) y[i] = Scalar<T>.Apply<TOp>(a[i], b);
    }

    public static void BinaryStrided<T, TOp>(
        ReadOnlySpan<int> dims, ReadOnlySpan<T> a, ReadOnlySpan<int> stridesA, ReadOnlySpan<T> b,
        ReadOnlySpan<int> stridesB, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOp : struct, IBinaryOperator
    {
        if (dims.Length == 0)
        {
            y[0] = Scalar<T>.Apply<TOp>(a[0], b[0]);
            return;
        }

        var (n, sa, sb) = (dims[0], stridesA[0], stridesB[0]);
        if (dims.Length == 1)
        {
            for (var i = 0; i < n; i++) y[i] = Scalar<T>.Apply<TOp>(a[i * sa], b[i * sb]);
            return;
        }

        var inner = Count(dims[1..]);
        for (var i = 0; i < n && inner > 0; i++)
        {
            BinaryStrided<T, TOp>(
                dims[1..], a[(i * sa)..], stridesA[1..], b[(i * sb)..], stridesB[1..], y.Slice(i * inner, inner));
        }
    }

    public static void CopyStrided<T>(
        ReadOnlySpan<int> dims, ReadOnlySpan<T> x, ReadOnlySpan<int> strides, Span<T> y) where T : unmanaged
    {
        if (dims.Length == 0)
        {
            y[0] = x[0];
            return;
        }

        var (n, stride) = (dims[0], strides[0]);
        if (dims.Length == 1)
        {
            if (stride == 1) x[..n].CopyTo(y);
            else for (var i = 0; i < n; i++) y[i] = x[i * stride];
            return;
        }

        var inner = Count(dims[1..]);
        for (var i = 0; i < n && inner > 0; i++)
            CopyStrided(dims[1..], x[(i * stride)..], strides[1..], y.Slice(i * inner, inner));
    }

    public static int Count(ReadOnlySpan<int> dims)
    {
        var count = 1;
        foreach (var d in dims) count = checked(count * d);
        return count;
    }
}
