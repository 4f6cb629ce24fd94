namespace Convoy.Autodiff.Ops;

// z = max(x, y), "or" of Gödel logic, of truth values in [0, 1]        x, y -> z, dimensions of size 1 repeated
internal sealed class OrMax : CompositeOp
{
    public override string Name => "or-max";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].Maximum(x[1])];
}
