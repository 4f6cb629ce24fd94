using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x, then y[.., index[.., k, ..], ..] += source[.., k, ..] on one axis, in the order of k
// x, index (int32), source of the index's shape -> y of x's shape        dx = dy     dsource = dy gathered at the index
internal sealed class ScatterAdd : IndexedOp
{
    public override string Name => "scatter-add";
    public override string Sharding => "!t a..., k a..., k a... -> t a...";
    internal override string Settings => "axis";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 3);
        RequireFloat(inputs[0], inputs[2]);
        RequirePlaces(attributes, inputs[0], inputs[1]);
        Require(
            inputs[2].Dims.AsSpan().SequenceEqual(inputs[1].Dims.AsSpan()),
            $"a source {inputs[2].Text} has not the shape of its index {inputs[1].Text}");
        return [inputs[0]];
    }

    private protected override void Run<T>(OpCall call)
    {
        call.In<T>(0).CopyTo(call.Out<T>());
        Give<T>(call, call.Inputs[2], call.In<int>(1), call.Outputs[0]);
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy, null, g.Needs(2) ? g.Dy.Gather(g.Attributes.Int("axis"), g.Inputs[1]) : null];
}
