namespace Convoy.Autodiff.Ops;

// y = tanh(x)        x, y of one shape
// dx = dy (1 - y²)
internal sealed class Tanh : UnaryOp<Fn.Tanh>
{
    public override string Name => "tanh";

    internal override Value?[] Backward(OpGradient g) => [g.Dy.TanhGrad(g.Y)];
}
