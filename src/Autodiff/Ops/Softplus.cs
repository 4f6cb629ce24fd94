namespace Convoy.Autodiff.Ops;

// y = ln(1 + e^x)        x, y of one shape
// dx = dy sigmoid(x)
internal sealed class Softplus : UnaryOp<SoftplusOperator>
{
    public override string Name => "softplus";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.X.Sigmoid()];
}
