namespace Convoy.Autodiff.Ops;

// y = x min(max(x + 3, 0), 6) / 6        x, y of one shape
// dx = dy (2x + 3)/6 where -3 ≤ x < 3, dy above, 0 below; at the kinks the slope from above unless the attribute kink
// chooses
internal sealed class HardSwish : UnaryOp<HardSwishOperator>
{
    public override string Name => "hard-swish";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g) =>
        Kink.At(g, g.Dy * Slope(g.X), (-3, 0, -0.5), (3, 1.5, 1));

    private static Value Slope(Value x)
    {
        // Chosen, not multiplied with 0: twice the largest numbers is infinite. A NaN is on neither side.
        var above = x.GreaterEqual(x.Constant(3)).Where(x.Constant(1), ((x * 2) + 3) * (1.0 / 6));
        return x.Less(x.Constant(-3)).Where(x.Constant(0), above);
    }
}
