namespace Convoy.Autodiff.Ops;

// y = 1 where some x is not 0, else 0        x over axes; keep: reduced dimensions stay as 1; no gradient
internal sealed class Any : CompositeOp
{
    public override string Name => "any";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [Reduction.OfNothing(x[0], attributes, 0)
            ?? x[0].NotEqual(x[0].Constant(0)).Max(attributes.Ints("axes").AsSpan(), attributes.Flag("keep"))];
}
