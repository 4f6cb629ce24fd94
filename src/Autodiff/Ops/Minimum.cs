namespace Convoy.Autodiff.Ops;

// z = min(x, y), NaN where either is        broadcast
// the gradient goes to the smaller; half to each when they are equal, or the share kink to the first; where either is a
// NaN, all of it to both
internal sealed class Minimum : BinaryOp<Fn.Minimum>
{
    public override string Name => "minimum";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g)
    {
        var kink = g.Attributes.Number(Kink.Attribute, 0.5);
        return [g.Dy * Share(g.X, g.Inputs[1], kink), g.Dy * Share(g.Inputs[1], g.X, 1 - kink)];
    }

    // Not GreaterEqual: with a NaN no comparison holds.
    private static Value Share(Value mine, Value other, double tie) =>
        mine.GreaterEqual(other).OneMinus() + (mine.Equal(other) * tie);
}
