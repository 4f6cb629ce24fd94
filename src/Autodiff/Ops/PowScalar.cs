namespace Convoy.Autodiff.Ops;

// y = x^c        x, y of one shape
// dx = c dy x^(c-1), 0 where c is 0
internal sealed class PowScalar : ConstantOp<PowOperator>
{
    public override string Name => "pow-scalar";
    internal override string Settings => "exponent";

    private protected override (string Name, double Otherwise) Constant => ("exponent", 1);

    internal override Value?[] Backward(OpGradient g)
    {
        var c = ConstantOf(g.Attributes);
        // A constant: at x = 0 the formula would be 0 times infinity. The third derivative of x² comes here.
        return [c == 0 ? g.Builder.Full(0, g.X.Type) : g.Dy * g.X.Pow(c - 1) * c];
    }
}
