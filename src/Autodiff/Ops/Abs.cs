namespace Convoy.Autodiff.Ops;

// y = |x|        x, y of one shape
// dx = dy sign(x); 0 at the kink unless the attribute kink chooses
internal sealed class Abs : UnaryOp<Fn.Abs>
{
    public override string Name => "abs";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g) =>
        Kink.At(g, g.Dy * (g.X.Greater(g.X.Constant(0)) - g.X.Less(g.X.Constant(0))), (0, -1, 1));
}
