namespace Convoy.Autodiff.Ops;

// z = dy - e^y Σ dy        over the last dimension, all of one shape; y is the result of log-softmax
// d dy = u - Σ u e^y; dy = -u e^y Σ dy
internal sealed class LogSoftmaxGrad : SoftmaxGradOp
{
    public override string Name => "log-softmax-grad";

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
