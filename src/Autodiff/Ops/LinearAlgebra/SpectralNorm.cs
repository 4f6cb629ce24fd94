namespace Convoy.Autodiff.Ops;

// y = the largest singular value of the last two dimensions
internal sealed class SpectralNorm : CompositeOp
{
    public override string Name => "spectral-norm";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [builder.Apply(OpTable.Svd, Attributes.None, x)[1].Max([-1])];
}
