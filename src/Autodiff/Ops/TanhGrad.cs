namespace Convoy.Autodiff.Ops;

// z = dy (1 - y²)        dy, y, z of one shape; y is the result of tanh
// d dy = u (1 - y²), dy = -2 u dy y
internal sealed class TanhGrad : BinaryOp<Fn.TanhGrad>
{
    public override string Name => "tanh-grad";

    internal override Value?[] Backward(OpGradient g) => [g.Dy.TanhGrad(g.Inputs[1]), g.Dy * g.X * g.Inputs[1] * -2];

    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;
}
