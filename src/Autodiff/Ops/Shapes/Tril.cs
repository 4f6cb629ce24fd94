namespace Convoy.Autodiff.Ops;

// y = x on and below diagonal k of the last two dimensions (k = 0 is the main one, k > 0 above it), else 0
internal sealed class Tril : CompositeOp
{
    public override string Name => "tril";
    internal override string Settings => "k";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        Require(x[0].Type.Rank >= 2 && !x[0].Type[-1].PerSample && !x[0].Type[-2].PerSample,
            $"takes matrices, not {x[0].Type.Text}");
        var columns = builder.Iota(x[0].Type[-1], x[0].Type.DType);
        var rows = builder.Iota(x[0].Type[-2], x[0].Type.DType).Unsqueeze(1);
        return [(columns - rows).LessEqual(x[0].Constant(attributes.Int("k"))).Where(x[0], x[0].Constant(0))];
    }
}
