namespace Convoy.Autodiff.Ops;

// z = 1 - max(x, y), of truth values in [0, 1]        x, y -> z, dimensions of size 1 repeated
internal sealed class Nor : CompositeOp
{
    public override string Name => "nor";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].Maximum(x[1]).OneMinus()];
}
