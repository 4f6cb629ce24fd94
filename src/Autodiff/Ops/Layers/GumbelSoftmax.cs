namespace Convoy.Autodiff.Ops;

// y = softmax((x + noise) / temperature) with Gumbel noise of (seed, element); hard: the one-hot of its largest,
// with that gradient
// (Jang and others 2017)        over the last dimension, x, y of one shape
internal sealed class GumbelSoftmax : CompositeOp
{
    public override string Name => "gumbel-softmax";
    internal override string Settings => "temperature hard seed stream";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        Require(attributes.Number("temperature", 1) > 0,
            $"the temperature is above 0, not {attributes.Number("temperature", 1)}");
        var noise =
            builder.Apply(OpTable.Uniform,
                attributes.Only("seed", "stream").With("dims", x[0].Type.Dims).With("dtype", x[0].Type.DType), [])[0];
        var soft = ((x[0] - (-noise.Log()).Log()) / attributes.Number("temperature", 1)).Softmax();
        if (!attributes.Flag("hard")) return [soft];
        var place = builder.Apply(OpTable.ArgMax, Attributes.Of("axis", x[0].Type.Rank - 1), [soft])[0];
        var hot =
            builder.Apply(OpTable.OneHot, Attributes.Of("classes", x[0].Type[-1].Size, "dtype", x[0].Type.DType),
                [place])[0];
        return builder.Apply(OpTable.StraightThrough, Attributes.None, [hot, soft]);
    }
}
