namespace Convoy.Autodiff.Ops;

// y = 1 - cos(a, b) where t is 1, max(0, cos(a, b) - margin) where t is -1; reduction: sum, none, or mean unless
// given        a_ND, b_ND, t_N
internal sealed class CosineEmbeddingLoss : CompositeOp
{
    public override string Name => "cosine-embedding-loss";
    internal override string Settings => "reduction margin";
    private protected override (int Least, int Most) Arity => (3, 3);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var cosine = builder.Apply(OpTable.CosineSimilarity, Attributes.None, [x[0], x[1]])[0];
        Require(x[2].Type.Dims.AsSpan().SequenceEqual(cosine.Type.Dims.AsSpan()),
            $"{x[2].Type.Text} has not one sign for each pair, of which there are {cosine.Type.Text}");
        var apart = (cosine - attributes.Number("margin", 0)).Relu();
        return [Losses.Reduced(x[2].Greater(x[2].Constant(0)).Where(cosine.OneMinus(), apart), attributes)];
    }
}
