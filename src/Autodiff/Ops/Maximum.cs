namespace Convoy.Autodiff.Ops;

// z = max(x, y), NaN where either is        broadcast
// the gradient goes to the larger; half to each when they are equal, or the share kink to the first; where either is a
// NaN, all of it to both
internal sealed class Maximum : BinaryOp<Fn.Maximum>
{
    public override string Name => "maximum";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g)
    {
        var kink = g.Attributes.Number(Kink.Attribute, 0.5);
        return [g.Dy * Share(g.X, g.Inputs[1], kink), g.Dy * Share(g.Inputs[1], g.X, 1 - kink)];
    }

    // Not LessEqual: with a NaN no comparison holds.
    private static Value Share(Value mine, Value other, double tie) =>
        mine.LessEqual(other).OneMinus() + (mine.Equal(other) * tie);
}
