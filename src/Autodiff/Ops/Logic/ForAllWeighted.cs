namespace Convoy.Autodiff.Ops;

// y = Π x^w: all of them, each as much as its weight says        x and w (0 or more, repeated to x)
// over axes; keep: reduced dimensions stay as 1
internal sealed class ForAllWeighted : CompositeOp
{
    public override string Name => "for-all-weighted";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var (axes, keep) = (attributes.Ints("axes"), attributes.Flag("keep"));
        return [x[0].Pow(x[1]).Product(axes.AsSpan(), keep)];
    }
}
