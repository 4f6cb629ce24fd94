namespace Convoy.Autodiff.Ops;

// y = max(x, 0)        x, y of one shape
// dx = dy where y > 0 or NaN; 0 at the kink unless the attribute kink chooses
internal sealed class Relu : UnaryOp<Fn.Relu>
{
    public override string Name => "relu";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g) =>
        Kink.At(g, g.Dy.ReluGrad(g.Y), (0, 0, 1));
}
