namespace Convoy.Autodiff.Ops;

// z = dy where y > 0, else 0        dy, y, z of one shape; y is the result of relu
// linear in dy; flat in y
internal sealed class ReluGrad : BinaryOp<Fn.ReluGrad>
{
    public override string Name => "relu-grad";

    internal override Value?[] Backward(OpGradient g) => [g.Dy.ReluGrad(g.Inputs[1]), null];

    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;
}
