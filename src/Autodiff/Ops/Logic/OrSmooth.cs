namespace Convoy.Autodiff.Ops;

// z = t ln((e^(x/t) + e^(y/t)) / 2): max(x, y) as the temperature t falls to 0, the mean as it rises        x, y ->
// z, dimensions of size 1 repeated
internal sealed class OrSmooth : CompositeOp
{
    public override string Name => "or-smooth";
    internal override string Settings => "temperature";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var t = SmoothLogic.Temperature(this, attributes);
        return [SmoothLogic.Or(x[0], x[1], t)];
    }
}
