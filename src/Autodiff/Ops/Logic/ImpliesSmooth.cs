namespace Convoy.Autodiff.Ops;

// z = or-smooth(1 - x, y): max(1 - x, y) as the temperature t falls to 0 (Kleene and Dienes)        x, y -> z,
// dimensions of size 1 repeated
internal sealed class ImpliesSmooth : CompositeOp
{
    public override string Name => "implies-smooth";
    internal override string Settings => "temperature";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var t = SmoothLogic.Temperature(this, attributes);
        return [SmoothLogic.Or(x[0].OneMinus(), x[1], t)];
    }
}
