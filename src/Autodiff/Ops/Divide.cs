namespace Convoy.Autodiff.Ops;

// z = x / y        broadcast
// dx = dz / y, dy = -dz z / y
internal sealed class Divide : BinaryOp<Fn.Divide>
{
    public override string Name => "divide";

    internal override Value?[] Backward(OpGradient g) =>
        [g.Needs(0) ? g.Dy / g.Inputs[1] : null, g.Needs(1) ? -(g.Dy * g.Y / g.Inputs[1]) : null];

    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;
}
