namespace Convoy.Autodiff.Ops;

// z = x y        broadcast
// dx = dz y, dy = dz x
internal sealed class Multiply : BinaryOp<Fn.Multiply>
{
    public override string Name => "multiply";

    internal override Value?[] Backward(OpGradient g) =>
        [g.Needs(0) ? g.Dy * g.Inputs[1] : null, g.Needs(1) ? g.Dy * g.X : null];

    internal override bool IsLinearIn(uint inputMask) => inputMask is 1 or 2;
}
