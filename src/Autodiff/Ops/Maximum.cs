namespace Convoy.Autodiff.Ops;

// z = max(x, y)        broadcast
// the gradient goes to the larger; half to each when they are equal
internal sealed class Maximum : BinaryOp<Fn.Maximum>
{
    public override string Name => "maximum";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * Share(g.X, g.Inputs[1]), g.Dy * Share(g.Inputs[1], g.X)];

    private static Value Share(Value mine, Value other) => mine.Greater(other) + (mine.Equal(other) * 0.5);
}
