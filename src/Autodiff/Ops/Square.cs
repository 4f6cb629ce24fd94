namespace Convoy.Autodiff.Ops;

// y = x²        x, y of one shape
// dx = 2 dy x
internal sealed class Square : UnaryOp<Fn.Square>
{
    public override string Name => "square";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.X * 2];
}
