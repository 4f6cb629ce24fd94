namespace Convoy.Autodiff.Ops;

// y = Σ x_ii over the last two dimensions, as far as the shorter
internal sealed class Trace : CompositeOp
{
    public override string Name => "trace";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].DiagonalOf(x[0].Type.Rank - 2, x[0].Type.Rank - 1).Sum([-1])];
}
