namespace Convoy.Autodiff.Ops;

// y = -x        x, y of one shape
// dx = -dy
internal sealed class Negate : UnaryOp<Fn.Negate>
{
    public override string Name => "negate";

    internal override Value?[] Backward(OpGradient g) => [-g.Dy];

    internal override bool IsLinearIn(uint inputMask) => true;
}
