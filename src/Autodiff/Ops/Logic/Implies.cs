namespace Convoy.Autodiff.Ops;

// z = 1 - x + x y (Reichenbach), of truth values in [0, 1]        x, y -> z, dimensions of size 1 repeated
internal sealed class Implies : CompositeOp
{
    public override string Name => "implies";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].OneMinus() + (x[0] * x[1])];
}
