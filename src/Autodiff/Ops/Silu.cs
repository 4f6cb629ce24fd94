namespace Convoy.Autodiff.Ops;

// y = x sigmoid(x), also called swish        x, y of one shape
// dx = dy s (1 + x (1 - s)), s = sigmoid(x)
internal sealed class Silu : UnaryOp<Fn.Silu>
{
    public override string Name => "silu";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * Slope(g.X)];

    private static Value Slope(Value x)
    {
        var s = x.Sigmoid();
        return s * ((x * s.OneMinus()) + 1);
    }
}
