namespace Convoy.Autodiff.Ops;

// z = x - y        broadcast
// dx = dz, dy = -dz
internal sealed class Subtract : BinaryOp<Fn.Subtract>
{
    public override string Name => "subtract";

    internal override Value?[] Backward(OpGradient g) => [g.Dy, g.Needs(1) ? -g.Dy : null];

    internal override bool IsLinearIn(uint inputMask) => inputMask == 3;
}
