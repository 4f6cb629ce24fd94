namespace Convoy.Autodiff.Ops;

// z = dy y (1 - y)        dy, y, z of one shape; y is the result of sigmoid
// d dy = u y (1 - y), dy = u dy (1 - 2y)
internal sealed class SigmoidGrad : BinaryOp<Fn.SigmoidGrad>
{
    public override string Name => "sigmoid-grad";

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.SigmoidGrad(g.Inputs[1]), g.Dy * g.X * (g.Inputs[1] * 2).OneMinus()];

    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;
}
