using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = 0 but y[.., start : start + count·step : step, ..] = x on one axis of the given size: the adjoint of slice
// dx = the same slice of dy
internal sealed class SliceGrad : FloatOp
{
    public override string Name => "slice-grad";
    internal override string Settings => "axis start size step";
    public override string Sharding => "!t a... -> s a...; lin(x)";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");
    internal override bool OnlyMoves => true;
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var (x, axis) = (inputs[0], attributes.Int("axis"));
        var (start, step, size) = (attributes.Int("start"), attributes.Int("step", 1), attributes.Int("size"));
        Require((uint)axis < (uint)x.Rank && !x[axis].PerSample, $"there is no dimension {axis} to put back into");
        var count = x[axis].Size;
        Require(
            start >= 0 && step > 0 && size >= 0 && (count == 0 || start + ((long)(count - 1) * step) < size),
            $"start {start}, step {step}, count {count} do not fit a dimension of size {size}");
        var dims = x.Dims.ToArray();
        dims[axis] = size;
        return [x.With(dims)];
    }

    private protected override void Run<T>(OpCall call)
    {
        var (x, y) = (call.Inputs[0], call.Outputs[0]);
        var axis = call.Attributes.Int("axis");
        var (start, step) = (call.Attributes.Int("start"), call.Attributes.Int("step", 1));
        var from = call.In<T>(0);
        var to = call.Out<T>();
        to.Clear();
        var (outer, inner) = (1, 1);
        for (var i = 0; i < axis; i++) outer *= x.Shape[i];
        for (var i = axis + 1; i < x.Rank; i++) inner *= x.Shape[i];
        var (count, size) = (x.Shape[axis], y.Shape[axis]);
        for (var o = 0; o < outer; o++)
        {
            for (var k = 0; k < count; k++)
            {
                from.Slice(((o * count) + k) * inner, inner)
                    .CopyTo(to[(((o * size) + start + (k * step)) * inner)..]);
            }
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var count = g.X.Type[g.Attributes.Int("axis")].Size;
        return [g.Dy.Apply(OpTable.Slice, g.Attributes.Without("size").With("count", count))];
    }
}
