namespace Convoy.Autodiff.Ops;

// y = x where x > 0, else slope x        x, y of one shape
// dx = dy where x > 0, else slope dy; slope dy at the kink unless the attribute kink chooses
internal sealed class LeakyRelu : ConstantOp<LeakyReluOperator>
{
    public override string Name => "leaky-relu";
    internal override string Settings => "slope kink";

    private protected override (string Name, double Otherwise) Constant => ("slope", 0.01);

    internal override Value?[] Backward(OpGradient g)
    {
        var slope = ConstantOf(g.Attributes);
        var chosen = g.X.Greater(g.X.Constant(0)).Where(g.X.Constant(1), g.X.Constant(slope));
        return Kink.At(g, g.Dy * chosen, (0, slope, 1));
    }
}
