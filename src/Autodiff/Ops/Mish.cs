namespace Convoy.Autodiff.Ops;

// y = x tanh(softplus(x))        x, y of one shape
// dx = dy (t + x (1 - t²) sigmoid(x)), t = tanh(softplus(x))
internal sealed class Mish : UnaryOp<MishOperator>
{
    public override string Name => "mish";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * Slope(g.X)];

    private static Value Slope(Value x)
    {
        var t = x.Softplus().Tanh();
        return t + (x * t.Square().OneMinus() * x.Sigmoid());
    }
}
