namespace Convoy.Autodiff.Ops;

// y = 1 - x        x, y of one shape
// dx = -dy
internal sealed class OneMinus : UnaryOp<OneMinusOperator>
{
    public override string Name => "one-minus";

    internal override Value?[] Backward(OpGradient g) => [-g.Dy];
}
