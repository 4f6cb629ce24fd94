namespace Convoy.Autodiff.Ops;

// y = x Φ(x), the exact form        x, y of one shape
// dx = dy (Φ(x) + x φ(x))
internal sealed class Gelu : UnaryOp<Fn.Gelu>
{
    public override string Name => "gelu";

    internal override Value?[] Backward(OpGradient g) => [g.Dy.GeluGrad(g.X)];
}
