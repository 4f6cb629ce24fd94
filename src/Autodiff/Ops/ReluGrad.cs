namespace Convoy.Autodiff.Ops;

// z = 0 where y ≤ 0, else dy, so a NaN passes it on        dy, y, z of one shape; y is the result of relu
// linear in dy; flat in y
internal sealed class ReluGrad : BinaryOp<Fn.ReluGrad>
{
    public override string Name => "relu-grad";

    internal override Value?[] Backward(OpGradient g) => [g.Dy.ReluGrad(g.Inputs[1]), null];

    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;
}
