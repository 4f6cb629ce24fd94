namespace Convoy.Autodiff.Ops;

// y = Σ w x / Σ w: the score of weighted constraints        x and w (0 or more, repeated to x)
// over axes; keep: reduced dimensions stay as 1
internal sealed class WeightedMean : CompositeOp
{
    public override string Name => "weighted-mean";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var (axes, keep) = (attributes.Ints("axes"), attributes.Flag("keep"));
        var w = x[1].BroadcastTo(x[0].Type.Dims.AsSpan());
        return [(x[0] * w).Sum(axes.AsSpan(), keep) / w.Sum(axes.AsSpan(), keep)];
    }
}
