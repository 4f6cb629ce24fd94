namespace Convoy.Autodiff.Ops;

// y = the diagonal of the last two dimensions, as long as the shorter one, or a
// matrix with x on its diagonal when x is a vector
internal sealed class Diag : CompositeOp
{
    public override string Name => "diag";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        if (x[0].Type.Rank == 1) return builder.Apply(OpTable.DiagonalEmbed, Attributes.Of("a", 0, "b", 1), x);
        return [x[0].DiagonalOf(x[0].Type.Rank - 2, x[0].Type.Rank - 1)];
    }
}
