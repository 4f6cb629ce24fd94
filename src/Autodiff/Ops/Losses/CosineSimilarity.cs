namespace Convoy.Autodiff.Ops;

// y = Σ a b / max(|a| |b|, epsilon) over axis        a, b of one shape
internal sealed class CosineSimilarity : CompositeOp
{
    public override string Name => "cosine-similarity";
    internal override string Settings => "axis epsilon";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        int[] axes = [attributes.Int("axis", -1)];
        var lengths = builder.Norm(x[0], axes) * builder.Norm(x[1], axes);
        return [(x[0] * x[1]).Sum(axes) / lengths.Maximum(lengths.Constant(attributes.Number("epsilon", 1e-8)))];
    }
}
