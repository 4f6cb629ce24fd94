namespace Convoy.Autodiff.Ops;

// z = x + y        broadcast
// dx = dy = dz
internal sealed class Add : BinaryOp<Fn.Add>
{
    public override string Name => "add";

    internal override Value?[] Backward(OpGradient g) => [g.Dy, g.Dy];

    internal override bool IsLinearIn(uint inputMask) => inputMask == 3;
}
