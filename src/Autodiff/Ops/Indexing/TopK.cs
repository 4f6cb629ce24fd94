using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = the k largest x on one axis in descending order (smallest, ascending, where set), NaN as the largest, and the
// places they come from
// x -> y, places (int32) with k elements on the axis        dx = dy added at the places
internal sealed class TopK : FloatOp
{
    public override string Name => "top-k";
    public override string Sharding => "!t a... -> k a..., k a...";
    internal override string Settings => "axis k smallest";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axis = AxisSpan.Check(this, attributes, inputs[0]);
        var k = attributes.Int("k");
        Require(k >= 0 && k <= inputs[0][axis].Size, $"{k} elements of a dimension of {inputs[0][axis]}");
        var chosen = inputs[0].With(inputs[0].Dims.SetItem(axis, k).AsSpan());
        return [chosen, chosen.With(DType.Int32)];
    }

    private protected override void Run<T>(OpCall call)
    {
        var s = AxisSpan.Of(call.Inputs[0].Shape, call.Attributes.Int("axis"));
        Sort.Order(
            call.In<T>(0), s, !call.Attributes.Flag("smallest"), call.Attributes.Int("k"), call.Out<T>(),
                call.Out<int>(1));
    }

    internal override Value?[] Backward(OpGradient g) => g.DyOf(0) is not { } dy ? [null]
        : [g.Builder.Full(0, g.X.Type).ScatterAdd(g.Attributes.Int("axis"), g.Outputs[1], dy)];
}
