namespace Convoy.Autodiff.Ops;

// y = √Σ x² over the last two dimensions
internal sealed class FrobeniusNorm : CompositeOp
{
    public override string Name => "frobenius-norm";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [builder.Norm(x[0], [-2, -1])];
}
