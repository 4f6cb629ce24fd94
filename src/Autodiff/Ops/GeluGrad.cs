namespace Convoy.Autodiff.Ops;

// z = dy (Φ(x) + x φ(x))        dy, x, z of one shape; x is the input of gelu
// d dy = the same of u, dx = u dy φ(x) (2 - x²)
internal sealed class GeluGrad : BinaryOp<Fn.GeluGrad>
{
    public override string Name => "gelu-grad";

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.GeluGrad(g.Inputs[1]), g.Dy * g.X * Curvature(g.Inputs[1])];

    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    // Beyond 40 the density is 0 in float64 too, and the square of a large x would be infinite.
    private static Value Curvature(Value x)
    {
        var square = x.Clamp(-40, 40).Square();
        return (square * -0.5).Exp() * (1 / Math.Sqrt(2 * Math.PI)) * (2 - square);
    }
}
