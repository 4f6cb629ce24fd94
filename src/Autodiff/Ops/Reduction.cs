using System.Buffers;
using System.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>What reductions over axes share: moving the axes to the end, and repeating a gradient over them.</summary>
internal static class Reduction
{
    public interface IFold<T>
    {
        static abstract T Rows(ReadOnlySpan<T> row);
    }

    public static long CountOf(TensorType x, Attributes attributes)
    {
        long count = 1;
        foreach (var axis in attributes.Ints("axes")) count *= x[axis].Size;
        return count;
    }

    /// <summary>
    /// y / count of the elements that one result takes, as 1 / count times y. Where the count has a name it is taken
    /// when the graph runs, with the same bits: the mean of a one among zeros is 1 / count.
    /// </summary>
    public static Value Shared(Value y, TensorType x, Attributes attributes)
    {
        var count = SizeOf(x, attributes);
        if (!count.HasNames) return y * (1.0 / CountOf(x, attributes));
        var ones = y.Builder.Full(1, y.Type.With(count));
        return y * ones.CumSum(0).Equal(y.Constant(1)).Mean();
    }

    /// <summary>The elements that one result takes, but so many less, 0 at least; where their count has a name, when
    /// the graph runs.</summary>
    public static Value CountBut(int less, Value x, Attributes attributes)
    {
        var count = SizeOf(x.Type, attributes);
        if (!count.HasNames) return x.Constant(Math.Max(0, CountOf(x.Type, attributes) - less));
        return (x.Builder.Full(1, x.Type.With(count)).Sum() - less).Maximum(x.Constant(0));
    }

    private static Dim SizeOf(TensorType x, Attributes attributes)
    {
        Dim size = 1;
        foreach (var axis in attributes.Ints("axes")) size *= x[axis];
        return size;
    }

    /// <summary>What a reduction makes of no elements, where an axis is empty; null where none is, or where it has a
    /// name: then the operator that finds nothing says so when the graph runs.</summary>
    public static Value? OfNothing(Value x, Attributes attributes, double neutral) =>
        x.Type.HasNames || CountOf(x.Type, attributes) > 0 ? null
        : x.Builder.Full(neutral, x.Type.With(
            Axes.Reduced(x.Type, attributes.Ints("axes"), attributes.Flag("keep"))));

    /// <summary>A value of the reduced shape, repeated to the shape of x.</summary>
    public static Value Spread(Value reduced, Value x, Attributes attributes)
    {
        var kept = Axes.Reduced(x.Type, attributes.Ints("axes"), keep: true);
        return reduced.Reshape(kept).BroadcastLike(x.Type.Dims);
    }

    public static void Sum<T>(OpCall call, ReadOnlySpan<int> axes) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var y = call.Out<T>();
        var x = call.Inputs[0];
        if (x.Count == 0)
        {
            y.Clear();
            return;
        }

        uint mask = 0;
        foreach (var axis in axes) mask |= 1u << axis;
        // The last dimensions are rows in memory, for which there is a fast loop with the same order of terms.
        var areLast = axes.Length == 0 || axes[0] == x.Rank - axes.Length;
        if (areLast) Reduce.SumRows(call.In<T>(0), (int)(x.Count / y.Length), y);
        else Reduce.Sum(x.Shape.Dims, mask, call.In<T>(0), y);
    }

    /// <summary>y = fold of each group of elements, which are copied next to each other first.</summary>
    public static void Rows<T, TFold>(OpCall call, ReadOnlySpan<int> axes)
        where T : unmanaged, IFloatingPointIeee754<T> where TFold : struct, IFold<T>
    {
        var x = call.Inputs[0];
        var y = call.Out<T>();
        if (y.Length == 0) return;
        var n = (int)(x.Count / y.Length);
        var moved = ArrayPool<T>.Shared.Rent((int)x.Count);
        MoveToEnd(x, axes, moved.AsSpan(0, (int)x.Count));
        for (var i = 0; i < y.Length; i++) y[i] = TFold.Rows(moved.AsSpan(i * n, n));
        ArrayPool<T>.Shared.Return(moved);
    }

    private static void MoveToEnd<T>(Tensor x, ReadOnlySpan<int> axes, Span<T> moved) where T : unmanaged
    {
        Span<int> dims = stackalloc int[x.Rank];
        Span<int> strides = stackalloc int[x.Rank];
        var at = 0;
        for (var i = 0; i < x.Rank; i++)
            if (!axes.Contains(i)) (dims[at], strides[at++]) = (x.Shape[i], x.Strides[i]);
        foreach (var axis in axes) (dims[at], strides[at++]) = (x.Shape[axis], x.Strides[axis]);
        if (x.Count > 0) Elementwise.CopyStrided(dims, (ReadOnlySpan<T>)x.Raw<T>(), strides, moved);
    }
}

/// <summary>The largest; the first NaN wins.</summary>
internal readonly struct LargestFold<T> : Reduction.IFold<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Rows(ReadOnlySpan<T> row)
    {
        var best = row[0];
        foreach (var x in row)
            if (x > best || (T.IsNaN(x) && !T.IsNaN(best))) best = x;
        return best;
    }
}

/// <summary>The smallest; the first NaN wins.</summary>
internal readonly struct SmallestFold<T> : Reduction.IFold<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Rows(ReadOnlySpan<T> row)
    {
        var best = row[0];
        foreach (var x in row)
            if (x < best || (T.IsNaN(x) && !T.IsNaN(best))) best = x;
        return best;
    }
}

/// <summary>The product from left to right; 1 of nothing.</summary>
internal readonly struct ProductFold<T> : Reduction.IFold<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Rows(ReadOnlySpan<T> row)
    {
        var product = T.One;
        foreach (var x in row) product *= x;
        return product;
    }
}
