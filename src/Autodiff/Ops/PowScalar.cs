namespace Convoy.Autodiff.Ops;

// y = x^c        x, y of one shape
// dx = c dy x^(c-1)
internal sealed class PowScalar : ConstantOp<PowOperator>
{
    public override string Name => "pow-scalar";

    private protected override (string Name, double Otherwise) Constant => ("exponent", 1);

    internal override Value?[] Backward(OpGradient g)
    {
        var c = ConstantOf(g.Attributes);
        return [g.Dy * g.X.Pow(c - 1) * c];
    }
}
