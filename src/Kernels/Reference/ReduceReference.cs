using System.Numerics;

namespace Convoy.Kernels.Reference;

internal static class ReduceReference
{
    public static void SumRows<T>(ReadOnlySpan<T> x, int rows, int n, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        for (var r = 0; r < rows; r++)
        {
            var sum = new LongSum<T>(lanes);
            foreach (var value in x.Slice(r * n, n)) sum.Add(value);
            y[r] = sum.Total();
        }
    }

    public static void DotRows<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, int rows, int n, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        for (var r = 0; r < rows; r++)
        {
            var sum = new LongSum<T>(lanes);
            for (var i = r * n; i < (r + 1) * n; i++) sum.AddProduct(a[i], b[i]);
            y[r] = sum.Total();
        }
    }

    public static int ArgMax<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var best = 0;
        for (var i = 1; i < x.Length && !T.IsNaN(x[best]); i++)
            if (x[i] > x[best] || T.IsNaN(x[i])) best = i;
        return best;
    }

    public static void Sum<T>(ReadOnlySpan<int> dims, uint axes, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var outputs = 1;
        for (var d = 0; d < dims.Length; d++)
            if ((axes >> d & 1) == 0) outputs *= dims[d];
        Span<T> lanes = stackalloc T[Order.Lanes];
        for (var o = 0; o < outputs; o++)
        {
            var sum = new LongSum<T>(lanes);
            AddTerms(dims, axes, x, Start(dims, axes, o), 0, ref sum);
            y[o] = sum.Total();
        }
    }

    // Offset of the first term of output o.
    private static int Start(ReadOnlySpan<int> dims, uint axes, int o)
    {
        var (offset, stride) = (0, 1);
        for (var d = dims.Length - 1; d >= 0; d--)
        {
            if ((axes >> d & 1) == 0)
            {
                offset += o % dims[d] * stride;
                o /= dims[d];
            }

            stride *= dims[d];
        }

        return offset;
    }

    private static void AddTerms<T>(
        ReadOnlySpan<int> dims, uint axes, ReadOnlySpan<T> x, int offset, int axis, ref LongSum<T> sum)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (axis == dims.Length)
        {
            sum.Add(x[offset]);
            return;
        }

        if ((axes >> axis & 1) == 0)
        {
            AddTerms(dims, axes, x, offset, axis + 1, ref sum);
            return;
        }

        var stride = ElementwiseReference.Count(dims[(axis + 1)..]);
        for (var i = 0; i < dims[axis]; i++) AddTerms(dims, axes, x, offset + (i * stride), axis + 1, ref sum);
    }
}
