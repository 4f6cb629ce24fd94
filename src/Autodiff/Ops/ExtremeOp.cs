using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// What max and min share: all but which element they choose.
internal abstract class ExtremeOp : FloatOp
{
    public override string Sharding => "a... ^r -> a...";
    internal override string Settings => "axes keep ties";

    internal override Value[]? Batched(OpBatch b) => b.Along("axes");

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axes = attributes.Ints("axes");
        Axes.Check(axes, inputs[0].Rank, Name);
        Ties.Check(this, attributes);
        Require(
            !inputs[0].IsStatic || Reduction.CountOf(inputs[0], attributes) != 0,
            "nothing to choose from: an axis is empty");
        return [inputs[0].With(Axes.Reduced(inputs[0], axes, attributes.Flag("keep")))];
    }

    internal override Value?[] Backward(OpGradient g) => [Ties.Gradient(g)];
}
