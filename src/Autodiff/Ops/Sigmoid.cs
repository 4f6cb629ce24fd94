namespace Convoy.Autodiff.Ops;

// y = 1 / (1 + e^-x)        x, y of one shape
// dx = dy y (1 - y)
internal sealed class Sigmoid : UnaryOp<Fn.Sigmoid>
{
    public override string Name => "sigmoid";

    internal override Value?[] Backward(OpGradient g) => [g.Dy.SigmoidGrad(g.Y)];
}
