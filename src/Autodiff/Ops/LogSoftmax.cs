namespace Convoy.Autodiff.Ops;

// y = x - max - ln Σ e^(x - max)        over the last dimension, x, y of one shape
// dx = log-softmax-grad
internal sealed class LogSoftmax : SoftmaxOp
{
    public override string Name => "log-softmax";

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.LogSoftmax.Forward(call.In<T>(0), call.Inputs[0].Shape[-1], call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(OpTable.LogSoftmaxGrad, g.Y)];
}
