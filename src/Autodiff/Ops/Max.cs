using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = the largest of x over axes        keep: reduced dimensions stay as 1
// dx = dy where x = y; elements that are equal share it evenly, or the attribute ties
// names who gets it: first or last in row-major order
internal sealed class Max : FloatOp
{
    public override string Name => "max";
    public override string Sharding => "a... ^r -> a...";

    internal override Value[]? Batched(OpBatch b) => b.Along("axes");

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axes = attributes.Ints("axes");
        Axes.Check(axes, inputs[0].Rank, Name);
        Ties.Check(this, attributes);
        Require(
            inputs[0].IsPerSample || Reduction.CountOf(inputs[0], attributes) != 0,
            "nothing to choose from: an axis is empty");
        return [inputs[0].With(Axes.Reduced(inputs[0], axes, attributes.Flag("keep")))];
    }

    private protected override void Run<T>(OpCall call) =>
        Reduction.Rows<T, LargestFold<T>>(call, call.Attributes.Ints("axes").AsSpan());

    internal override Value?[] Backward(OpGradient g) => [Ties.Gradient(g)];
}
