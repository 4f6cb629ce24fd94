namespace Convoy.Autodiff.Ops;

// z = 1 - and-smooth(x, y): 1 - min(x, y) as the temperature t falls to 0        x, y -> z, dimensions of size 1
// repeated
internal sealed class NandSmooth : CompositeOp
{
    public override string Name => "nand-smooth";
    internal override string Settings => "temperature";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var t = SmoothLogic.Temperature(this, attributes);
        return [SmoothLogic.And(x[0], x[1], t).OneMinus()];
    }
}
