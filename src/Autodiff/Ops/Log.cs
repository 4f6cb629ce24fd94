namespace Convoy.Autodiff.Ops;

// y = ln(x)        x, y of one shape
// dx = dy / x
internal sealed class Log : UnaryOp<Fn.Log>
{
    public override string Name => "log";

    internal override Value?[] Backward(OpGradient g) => [g.Dy / g.X];
}
