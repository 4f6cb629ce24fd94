using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tensors;

// Views: the same storage under other shapes and strides, and the strided copies that end them.
public sealed partial class Tensor
{
    /// <summary>A view of part of the tensor; dimensions that have no spec are taken whole.</summary>
    public Tensor Slice(params ReadOnlySpan<SliceSpec> specs)
    {
        if (specs.Length > Rank) throw new ShapeException($"{specs.Length} slices for {Rank} dimensions");
        var dims = new List<int>(Rank);
        var strides = new List<int>(Rank);
        var offset = Offset;
        for (var axis = 0; axis < Rank; axis++)
        {
            var spec = axis < specs.Length ? specs[axis] : SliceSpec.All;
            var (from, count, step) = spec.Resolve(Shape[axis], axis);
            if (count > 0) offset += (long)from * _strides[axis];
            if (spec.IsSingle) continue;
            dims.Add(count);
            strides.Add(_strides[axis] * step);
        }

        return new Tensor(Storage, DType, new Shape([.. dims]), [.. strides], offset);
    }

    /// <summary>A view put together step by step.</summary>
    public ViewBuilder View() => new(this);

    /// <summary>The dimensions in another order; without an order, the last two exchanged.</summary>
    public Tensor Transpose(params ReadOnlySpan<int> permutation)
    {
        Span<int> order = stackalloc int[Rank];
        if (permutation.Length == 0) LastTwoExchanged(order);
        else if (permutation.Length == Rank) permutation.CopyTo(order);
        else throw new ShapeException($"a permutation of {Rank} dimensions has {Rank} entries");

        var dims = new int[Rank];
        var strides = new int[Rank];
        var seen = 0;
        for (var i = 0; i < Rank; i++)
        {
            if ((uint)order[i] >= (uint)Rank || (seen & (1 << order[i])) != 0)
                throw new ShapeException($"[{string.Join(", ", order.ToArray())}] is not a permutation");
            seen |= 1 << order[i];
            (dims[i], strides[i]) = (Shape[order[i]], _strides[order[i]]);
        }

        return new Tensor(Storage, DType, new Shape(dims), strides, Offset);
    }

    /// <summary>Another shape for the same elements: a view of a contiguous tensor, else of a copy.</summary>
    public Tensor Reshape(Shape shape)
    {
        if (shape.Count != Count) throw new ShapeException($"{Shape} has {Count} elements, {shape} has {shape.Count}");
        var source = Contiguous();
        return new Tensor(source.Storage, DType, shape, ContiguousStrides(shape), source.Offset);
    }

    /// <summary>A view that repeats dimensions of size 1, and adds leading ones, without a copy.</summary>
    public Tensor BroadcastTo(Shape shape)
    {
        var added = shape.Rank - Rank;
        if (added < 0) throw new ShapeException($"{Shape} cannot be broadcast to {shape}");
        var strides = new int[shape.Rank];
        for (var axis = 0; axis < Rank; axis++)
        {
            var target = shape[axis + added];
            if (Shape[axis] != target && Shape[axis] != 1)
                throw new ShapeException($"{Shape} cannot be broadcast to {shape}");
            strides[axis + added] = Shape[axis] == target ? _strides[axis] : 0;
        }

        return new Tensor(Storage, DType, shape, strides, Offset);
    }

    /// <summary>Whether some dimension shows the same elements again and again (<see cref="BroadcastTo"/>).</summary>
    internal bool IsRepeated
    {
        get
        {
            for (var axis = 0; axis < Rank; axis++)
                if (_strides[axis] == 0 && Shape[axis] > 1) return true;
            return false;
        }
    }

    /// <summary>A view with 1 for each dimension that repeats.</summary>
    internal Tensor Once()
    {
        var dims = Shape.Dims.ToArray();
        for (var axis = 0; axis < Rank; axis++)
            if (_strides[axis] == 0 && dims[axis] > 1) dims[axis] = 1;
        return new Tensor(Storage, DType, new Shape(dims), _strides, Offset);
    }

    /// <summary>The same view of memory that stays as it is when this one is written.</summary>
    internal Tensor Snapshot() => new(Storage.Snapshot(), DType, Shape, _strides, Offset);

    private void RequireOnce()
    {
        if (IsRepeated)
            throw new ShapeException($"a view of {Shape} that repeats its elements is not written into: copy it first");
    }

    /// <summary>This tensor if it is contiguous, else a copy of it.</summary>
    public Tensor Contiguous() => IsContiguous ? this : Copy();

    /// <summary>A contiguous tensor of the same elements with memory of its own.</summary>
    public Tensor Copy()
    {
        var copy = Empty(DType, Shape);
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>
    /// Writes the elements of <paramref name="source"/> (same shape, or one that broadcasts) into this view.
    /// </summary>
    public void CopyFrom(Tensor source)
    {
        RequireOnce();
        if (source.DType != DType) throw new ShapeException($"{source.DType} elements do not go into {DType}");
        if (source.Shape != Shape) source = source.BroadcastTo(Shape);
        // Source and target may overlap when both are views of one storage.
        var blocks = source.IsContiguous && IsContiguous;
        if (ReferenceEquals(source.Storage, Storage) && !blocks) source = source.Copy();
        Storage.MarkWritten();
        StridedCopy.Run(source, this);
    }

    /// <summary>Every element becomes this value, rounded to the element type; a write, through views too.</summary>
    public void Fill(double value)
    {
        RequireOnce();
        var one = Empty(DType, Shape.Scalar);
        one.Set(value);
        Storage.MarkWritten();
        StridedCopy.Run(one.BroadcastTo(Shape), this);
    }

    /// <summary>
    /// The same numbers in another element type: exact between integers; fractions are cut off; for bool, what is not 0
    /// is true. A number that does not fit is refused.
    /// </summary>
    public Tensor Cast(DType dtype)
    {
        if (dtype == DType) return this;
        var result = Empty(dtype, Shape);
        Elements.Cast(Contiguous(), result);
        return result;
    }

    private void LastTwoExchanged(Span<int> order)
    {
        if (Rank < 2) throw new ShapeException($"a tensor of shape {Shape} has no two dimensions to exchange");
        for (var i = 0; i < Rank; i++) order[i] = i;
        (order[^1], order[^2]) = (order[^2], order[^1]);
    }
}
