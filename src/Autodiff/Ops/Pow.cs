namespace Convoy.Autodiff.Ops;

// z = x^y        broadcast
// dx = dz y x^(y-1), dy = dz z ln(x)
internal sealed class Pow : BinaryOp<PowOperator>
{
    public override string Name => "pow";

    internal override Value?[] Backward(OpGradient g) =>
        [g.Needs(0) ? g.Dy * g.Inputs[1] * g.X.Pow(g.Inputs[1] - 1) : null, g.Needs(1) ? g.Dy * g.Y * g.X.Log() : null];
}
