namespace Convoy.Autodiff.Ops;

// y = e^x        x, y of one shape
// dx = dy y
internal sealed class Exp : UnaryOp<Fn.Exp>
{
    public override string Name => "exp";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.Y];
}
