namespace Convoy.Autodiff.Ops;

// z = x + y - x y, "or" of independent events, of truth values in [0, 1]        x, y -> z, dimensions of size 1
// repeated
internal sealed class OrProbSum : CompositeOp
{
    public override string Name => "or-prob-sum";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0] + x[1] - (x[0] * x[1])];
}
