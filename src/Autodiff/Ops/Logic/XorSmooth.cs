namespace Convoy.Autodiff.Ops;

// z = and-smooth(or-smooth(x, y), nand-smooth(x, y)): one of both and not the other        x, y -> z, dimensions of
// size 1 repeated
internal sealed class XorSmooth : CompositeOp
{
    public override string Name => "xor-smooth";
    internal override string Settings => "temperature";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var t = SmoothLogic.Temperature(this, attributes);
        return [SmoothLogic.And(SmoothLogic.Or(x[0], x[1], t), SmoothLogic.And(x[0], x[1], t).OneMinus(), t)];
    }
}
