namespace Convoy.Autodiff.Ops;

// y = min(max(x + 3, 0), 6) / 6        x, y of one shape
// dx = dy / 6 where -3 < x < 3; 0 for a NaN, and at the kinks unless the attribute kink chooses
internal sealed class HardSigmoid : UnaryOp<HardSigmoidOperator>
{
    public override string Name => "hard-sigmoid";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g) =>
        Kink.At(g, g.Dy * g.X.Abs().Less(g.X.Constant(3)) * (1.0 / 6), (-3, 0, 1.0 / 6), (3, 1.0 / 6, 0));
}
