namespace Convoy.Autodiff.Ops;

// y = √x        x, y of one shape
// dx = dy / 2y
internal sealed class Sqrt : UnaryOp<Fn.Sqrt>
{
    public override string Name => "sqrt";

    internal override Value?[] Backward(OpGradient g) => [g.Dy / (g.Y * 2)];
}
