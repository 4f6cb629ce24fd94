using System.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Elements of one axis by an index: embedding, gather and index-select take them, scatter-add and index-add give them
/// back. An index is a list of places, each for all that lies there, or has a place for every element.
/// </summary>
internal abstract class IndexedOp : FloatOp
{
    /// <summary>An index has the dimensions of what it points into, but for the axis.</summary>
    private protected void RequirePlaces(Attributes attributes, TensorType x, TensorType index)
    {
        RequireIndex(index);
        var axis = AxisSpan.Check(this, attributes, x);
        var fits = index.Rank == x.Rank;
        for (var i = 0; fits && i < x.Rank; i++) fits = i == axis ? !index[i].PerSample : index[i] == x[i];
        if (!fits)
            throw new ShapeException(
                $"{Name}: an index {index.Text} does not fit {x.Text}: only dimension {axis} may differ");
    }

    public static int Place(Op op, int index, int size) => (uint)index < (uint)size ? index
        : throw new ShapeException($"{op.Name}: index {index} is outside a dimension of {size} elements: it is 0 to {size - 1}");

    /// <summary>part[.., k, ..] = whole[.., index, ..].</summary>
    private protected void Take<T>(OpCall call, Tensor whole, ReadOnlySpan<int> index, Tensor part)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (w, p) = Spans(call, whole, part);
        ReadOnlySpan<T> x = whole.Raw<T>();
        var y = part.Raw<T>();
        if (index.Length == p.Size)
        {
            TakeRows(x, w, index, y);
            return;
        }

        for (var o = 0; o < p.Outer; o++)
        {
            for (var k = 0; k < p.Size; k++)
            {
                for (var (i, at) = (0, p.At(o, k, 0)); i < p.Inner; i++, at++)
                    y[at] = x[w.At(o, Place(this, index[at], w.Size), i)];
            }
        }
    }

    /// <summary>part[o, k, :] = whole[o, index[k], :].</summary>
    private protected void TakeRows<T>(ReadOnlySpan<T> whole, AxisSpan w, ReadOnlySpan<int> index, Span<T> part)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var place in index) Place(this, place, w.Size);
        var (table, taken) = (w.Size * w.Inner, index.Length * w.Inner);
        if (taken == 0) return;
        for (var o = 0; o < w.Outer; o++)
            Kernels.Embedding.Gather(whole.Slice(o * table, table), w.Inner, index, part.Slice(o * taken, taken));
    }

    /// <summary>whole[.., index, ..] += part[.., k, ..], in the order of k.</summary>
    private protected void Give<T>(OpCall call, Tensor part, ReadOnlySpan<int> index, Tensor whole)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (w, p) = Spans(call, whole, part);
        ReadOnlySpan<T> x = part.Raw<T>();
        var y = whole.Raw<T>();
        var isList = index.Length == p.Size;
        for (var o = 0; o < p.Outer; o++)
        {
            for (var k = 0; k < p.Size; k++)
            {
                var at = p.At(o, k, 0);
                var listed = isList ? w.At(o, Place(this, index[k], w.Size), 0) : 0;
                for (var i = 0; i < p.Inner; i++, at++)
                    y[isList ? listed + i : w.At(o, Place(this, index[at], w.Size), i)] += x[at];
            }
        }
    }

    private static (AxisSpan Whole, AxisSpan Part) Spans(OpCall call, Tensor whole, Tensor part)
    {
        var axis = call.Attributes.Int("axis");
        return (AxisSpan.Of(whole.Shape, axis), AxisSpan.Of(part.Shape, axis));
    }
}
