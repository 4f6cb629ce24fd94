namespace Convoy.Autodiff.Ops;

// z = min(x, y), "and" of Gödel logic, of truth values in [0, 1]        x, y -> z, dimensions of size 1 repeated
internal sealed class AndMin : CompositeOp
{
    public override string Name => "and-min";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].Minimum(x[1])];
}
