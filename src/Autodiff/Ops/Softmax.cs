namespace Convoy.Autodiff.Ops;

// y = e^(x - max) / Σ e^(x - max)        over the last dimension, x, y of one shape
// dx = softmax-grad
internal sealed class Softmax : SoftmaxOp
{
    public override string Name => "softmax";

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.Softmax.Forward(call.In<T>(0), call.Inputs[0].Shape[-1], call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(OpTable.SoftmaxGrad, g.Y)];
}
