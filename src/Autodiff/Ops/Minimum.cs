namespace Convoy.Autodiff.Ops;

// z = min(x, y)        broadcast
// the gradient goes to the smaller; half to each when they are equal
internal sealed class Minimum : BinaryOp<Fn.Minimum>
{
    public override string Name => "minimum";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * Share(g.X, g.Inputs[1]), g.Dy * Share(g.Inputs[1], g.X)];

    private static Value Share(Value mine, Value other) => mine.Less(other) + (mine.Equal(other) * 0.5);
}
