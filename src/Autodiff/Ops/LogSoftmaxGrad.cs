using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// z = dy - e^y Σ dy        over the last dimension, all of one shape; y is the result of log-softmax
// d dy = u - Σ u e^y; dy = -u e^y Σ dy
internal sealed class LogSoftmaxGrad : FloatOp
{
    public override string Name => "log-softmax-grad";
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

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.LogSoftmax.Backward(call.In<T>(1), call.In<T>(0), call.Inputs[0].Shape[-1], call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (dy, y, u) = (g.X, g.Inputs[1], g.Dy);
        var last = dy.Type.Rank - 1;
        var part = u * y.Exp();
        return [u - part.Sum([last], keep: true), g.Needs(1) ? -(part * dy.Sum([last], keep: true)) : null];
    }
}
