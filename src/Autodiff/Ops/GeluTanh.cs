namespace Convoy.Autodiff.Ops;

// y = x/2 (1 + tanh(u)), u = √(2/π) (x + 0.044715 x³)        x, y of one shape
// dx = dy ((1 + t)/2 + x/2 (1 - t²) u'(x)), t = tanh(u)
internal sealed class GeluTanh : UnaryOp<GeluTanhOperator>
{
    public override string Name => "gelu-tanh";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * Slope(g.X)];

    // Beyond 40 the slope is 0 or 1 to the last digit, and the powers of a large x would be infinite.
    private static Value Slope(Value x)
    {
        x = x.Clamp(-40, 40);
        var root = Math.Sqrt(2 / Math.PI);
        var square = x.Square();
        var t = (x * ((square * 0.044715) + 1) * root).Tanh();
        var inner = ((square * (3 * 0.044715)) + 1) * root;
        return ((t + 1) * 0.5) + (x * 0.5 * t.Square().OneMinus() * inner);
    }
}
