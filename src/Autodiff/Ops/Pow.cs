namespace Convoy.Autodiff.Ops;

// z = x^y        broadcast
// dx = dz y x^(y-1), dy = dz z ln(x); 0 at x = 0 for y = 0, and for y ≥ 0
internal sealed class Pow : BinaryOp<PowOperator>
{
    public override string Name => "pow";

    internal override Value?[] Backward(OpGradient g)
    {
        var (x, y) = (g.X, g.Inputs[1]);
        // At x = 0 both rules multiply 0 with an infinity where the derivative is 0: of x^0 by x, and of 0^y by y ≥ 0.
        Value Without(Value powers) =>
            (x.Equal(x.Constant(0)) * powers).Where(x.Constant(1), x);
        return
        [
            g.Needs(0) ? g.Dy * y * Without(y.Equal(y.Constant(0))).Pow(y - 1) : null,
            g.Needs(1) ? g.Dy * g.Y * Without(y.GreaterEqual(y.Constant(0))).Log() : null,
        ];
    }
}
