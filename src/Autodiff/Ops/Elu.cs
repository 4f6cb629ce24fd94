namespace Convoy.Autodiff.Ops;

// y = x where x > 0, else alpha (e^x - 1)        x, y of one shape
// dx = dy where x > 0, else dy (y + alpha)
internal sealed class Elu : ConstantOp<EluOperator>
{
    public override string Name => "elu";

    private protected override (string Name, double Otherwise) Constant => ("alpha", 1);

    internal override Value?[] Backward(OpGradient g)
    {
        var above = g.X.Greater(g.X.Constant(0));
        return [g.Dy * (above + (above.OneMinus() * (g.Y + ConstantOf(g.Attributes))))];
    }
}
