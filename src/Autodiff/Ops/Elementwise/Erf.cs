namespace Convoy.Autodiff.Ops;

// y = 2/√π ∫₀ˣ e^(-t²) dt        x, y of one shape
// dx = dy 2/√π e^(-x²)
internal sealed class Erf : UnaryOp<Fn.Erf>
{
    public override string Name => "erf";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * (-g.X.Square()).Exp() * (2 / Math.Sqrt(Math.PI))];
}
