namespace Convoy.Autodiff.Ops;

// y = max(x, 0)        x, y of one shape
// dx = dy where y > 0; 0 at the kink
internal sealed class Relu : UnaryOp<Fn.Relu>
{
    public override string Name => "relu";

    internal override Value?[] Backward(OpGradient g) => [g.Dy.ReluGrad(g.Y)];
}
