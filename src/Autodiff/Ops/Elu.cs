namespace Convoy.Autodiff.Ops;

// y = x where x > 0, else alpha (e^x - 1)        x, y of one shape
// dx = dy where x > 0, else dy (y + alpha); alpha dy at the kink unless the attribute kink chooses
internal sealed class Elu : ConstantOp<EluOperator>
{
    public override string Name => "elu";
    internal override string Settings => "alpha kink";

    private protected override (string Name, double Otherwise) Constant => ("alpha", 1);

    internal override Value?[] Backward(OpGradient g)
    {
        var alpha = ConstantOf(g.Attributes);
        var slope = g.X.Greater(g.X.Constant(0)).Where(g.X.Constant(1), g.Y + alpha);
        return Kink.At(g, g.Dy * slope, (0, alpha, 1));
    }
}
