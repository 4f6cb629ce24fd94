using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x, then y[.., index[.., k, ..], ..] += source[.., k, ..] on one axis, in the order of k
// x, index (int32), source of the index's shape -> y of x's shape        dx = dy     dsource = dy gathered at the index
internal sealed class ScatterAdd : FloatOp
{
    public override string Name => "scatter-add";
    public override string Sharding => "!t a..., k a..., k a... -> t a...";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 3);
        RequireFloat(inputs[0], inputs[2]);
        RequireIndex(inputs[1]);
        Gather.CheckIndex(this, attributes, inputs[0], inputs[1]);
        Require(
            inputs[2].Dims.AsSpan().SequenceEqual(inputs[1].Dims.AsSpan()),
            $"a source {inputs[2].Text} has not the shape of its index {inputs[1].Text}");
        return [inputs[0]];
    }

    private protected override void Run<T>(OpCall call)
    {
        var index = call.In<int>(1);
        var source = call.In<T>(2);
        var y = call.Out<T>();
        call.In<T>(0).CopyTo(y);
        var axis = call.Attributes.Int("axis");
        var (from, to) = (AxisSpan.Of(call.Inputs[1].Shape, axis), AxisSpan.Of(call.Outputs[0].Shape, axis));
        for (var o = 0; o < from.Outer; o++)
        {
            for (var k = 0; k < from.Size; k++)
            {
                for (var i = 0; i < from.Inner; i++)
                {
                    var at = from.At(o, k, i);
                    y[to.At(o, Gather.Place(this, index[at], to.Size), i)] += source[at];
                }
            }
        }
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy, null, g.Needs(2) ? g.Dy.Gather(g.Attributes.Int("axis"), g.Inputs[1]) : null];
}
