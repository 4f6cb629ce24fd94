namespace Convoy.Autodiff.Ops;

// z = y (dy - Σ y dy)        over the last dimension, all of one shape; y is the result of softmax
// d dy = softmax-grad of u; dy = u (dy - Σ y dy) - dy Σ u y
internal sealed class SoftmaxGrad : SoftmaxGradOp
{
    public override string Name => "softmax-grad";

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.Softmax.Backward(call.In<T>(1), call.In<T>(0), call.Inputs[0].Shape[-1], call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (dy, y, u) = (g.X, g.Inputs[1], g.Dy);
        var last = dy.Type.Rank - 1;
        var inner = dy - (y * dy).Sum([last], keep: true);
        return [u.Apply(this, y), g.Needs(1) ? (u * inner) - (dy * (u * y).Sum([last], keep: true)) : null];
    }
}
