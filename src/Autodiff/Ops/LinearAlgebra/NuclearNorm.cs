namespace Convoy.Autodiff.Ops;

// y = the sum of the singular values of the last two dimensions
internal sealed class NuclearNorm : CompositeOp
{
    public override string Name => "nuclear-norm";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [builder.Apply(OpTable.Svd, Attributes.None, x)[1].Sum([-1])];
}
