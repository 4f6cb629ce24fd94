using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., k, ..] = x[.., index[.., k, ..], ..] on one axis        x, index (int32) of x's shape but for the axis -> y
// of index's shape dx = dy added at the places of the index
internal sealed class Gather : IndexedOp
{
    public override string Name => "gather";
    public override string Sharding => "!t a..., k a... -> k a...";
    internal override string Settings => "axis";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs[0]);
        RequirePlaces(attributes, inputs[0], inputs[1]);
        return [inputs[0].With(inputs[1].Dims.AsSpan())];
    }

    private protected override void Run<T>(OpCall call) =>
        Take<T>(call, call.Inputs[0], call.In<int>(1), call.Outputs[0]);

    internal override Value?[] Backward(OpGradient g) =>
        [g.Builder.Full(0, g.X.Type).ScatterAdd(g.Attributes.Int("axis"), g.Inputs[1], g.Dy), null];
}
