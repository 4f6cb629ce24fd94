using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// What softmax and its logarithm share: they run over the last dimension, x and y have one shape.
internal abstract class SoftmaxOp : FloatOp
{
    public override string Sharding => "a... !c -> a... c";

    internal override Value[]? Batched(OpBatch b) => b.Leading();
    internal override bool MayOverwrite(int input) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        Require(inputs[0].Rank > 0 && !inputs[0][-1].PerSample, "runs over a last dimension that is not the batch");
        return [inputs[0]];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(8 * outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));
}
