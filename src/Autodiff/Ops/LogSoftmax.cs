using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x - max - ln Σ e^(x - max)        over the last dimension, x, y of one shape
// dx = log-softmax-grad
internal sealed class LogSoftmax : FloatOp
{
    public override string Name => "log-softmax";
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

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.LogSoftmax.Forward(call.In<T>(0), call.Inputs[0].Shape[-1], call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(OpTable.LogSoftmaxGrad, g.Y)];
}
