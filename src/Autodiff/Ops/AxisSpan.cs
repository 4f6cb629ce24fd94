using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>A contiguous tensor seen along one axis: element (o, k, i) lies at (o·size + k)·inner + i.</summary>
internal readonly record struct AxisSpan(int Outer, int Size, int Inner)
{
    public static AxisSpan Of(Shape shape, int axis)
    {
        var (outer, inner) = (1, 1);
        for (var i = 0; i < axis; i++) outer *= shape[i];
        for (var i = axis + 1; i < shape.Rank; i++) inner *= shape[i];
        return new AxisSpan(outer, shape[axis], inner);
    }

    public int At(int outer, int k, int inner) => (((outer * Size) + k) * Inner) + inner;

    /// <summary>The axis of an attribute, which must be there and must not be the batch.</summary>
    public static int Check(Op op, Attributes attributes, TensorType x)
    {
        var axis = attributes.Int("axis");
        if ((uint)axis >= (uint)x.Rank) throw new ShapeException(
            $"{op.Name}: there is no dimension {axis} of {x.Text}");
        if (x[axis].PerSample) throw new ShapeException($"{op.Name}: dimension {axis} of {x.Text} is the batch");
        return axis;
    }
}
