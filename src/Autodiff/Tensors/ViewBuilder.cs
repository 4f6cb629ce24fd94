using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// A view of a tensor (TEN-06), put together dimension by dimension: each step sees the dimensions that the one before
/// left, negative ones from the end. Nothing is copied: what is written through the view is written into the tensor.
/// </summary>
public sealed class ViewBuilder
{
    private Tensor _view;

    internal ViewBuilder(Tensor tensor) => _view = tensor;

    /// <summary>Part of one dimension: a range (<c>1..^1</c>), a stepped one, or one index, with which the dimension
    /// goes away.</summary>
    /// <exception cref="ShapeException">There is no such dimension, or the part lies outside of it.</exception>
    public ViewBuilder Take(int axis, SliceSpec part)
    {
        var specs = new SliceSpec[At(axis) + 1];
        Array.Fill(specs, SliceSpec.All);
        specs[^1] = part;
        return With(_view.Slice(specs));
    }

    /// <summary>Every step-th element of one dimension, from the first on.</summary>
    public ViewBuilder Every(int step, int axis) => Take(axis, SliceSpec.Range(0, ^0, step));

    /// <summary>One dimension from its last element to its first.</summary>
    public ViewBuilder Reversed(int axis) => Take(axis, SliceSpec.Reversed);

    /// <summary>The dimensions in another order; without an order, the last two exchanged.</summary>
    public ViewBuilder Transposed(params ReadOnlySpan<int> permutation) => With(_view.Transpose(permutation));

    /// <summary>The elements whose indices on two dimensions are equal, along a new last dimension; the two go
    /// away.</summary>
    public ViewBuilder Diagonal(int first, int second)
    {
        var (a, b) = (At(first), At(second));
        if (a == b) throw new ShapeException($"a diagonal of {_view.Shape} goes along two dimensions, not {a} twice");
        List<int> dims = [], strides = [];
        for (var axis = 0; axis < _view.Rank; axis++)
        {
            if (axis == a || axis == b) continue;
            dims.Add(_view.Shape[axis]);
            strides.Add(_view.Strides[axis]);
        }

        dims.Add(Math.Min(_view.Shape[a], _view.Shape[b]));
        strides.Add(_view.Strides[a] + _view.Strides[b]);
        return With(new Tensor(_view.Storage, _view.DType, new Shape([.. dims]), [.. strides], _view.Offset));
    }

    /// <summary>Dimensions of size 1, and new leading ones, repeated; a view that repeats is not written
    /// into.</summary>
    public ViewBuilder Repeated(params ReadOnlySpan<int> dims) => With(_view.BroadcastTo(new Shape(dims)));

    /// <summary>The view.</summary>
    public Tensor Build() => _view;

    private int At(int axis)
    {
        var at = axis < 0 ? axis + _view.Rank : axis;
        return (uint)at < (uint)_view.Rank ? at
            : throw new ShapeException($"there is no dimension {axis} of {_view.Shape}: it has {_view.Rank}");
    }

    private ViewBuilder With(Tensor view)
    {
        _view = view;
        return this;
    }
}
