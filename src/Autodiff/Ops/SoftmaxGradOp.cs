using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// What the gradients of softmax and of its logarithm share: dy and y have one shape and run over its last dimension.
internal abstract class SoftmaxGradOp : FloatOp
{
    public override string Sharding => "a... !c, a... !c -> a... c";

    internal override Value[]? Batched(OpBatch b) => b.Leading();
    internal override bool MayOverwrite(int input) => input == 0;
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs);
        Require(inputs[0].Equals(inputs[1]), $"{inputs[0].Text} is not the gradient of {inputs[1].Text}");
        Require(inputs[0].Rank > 0 && !inputs[0][-1].PerSample, "runs over a last dimension that is not the batch");
        return [inputs[0]];
    }
}
