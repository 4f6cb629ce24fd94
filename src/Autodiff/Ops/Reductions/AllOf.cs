namespace Convoy.Autodiff.Ops;

// y = 1 where every x is not 0, else 0        x over axes; keep: reduced dimensions stay as 1; no gradient
internal sealed class AllOf : CompositeOp
{
    public override string Name => "all";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [Reduction.OfNothing(x[0], attributes, 1)
            ?? x[0].NotEqual(x[0].Constant(0)).Min(attributes.Ints("axes").AsSpan(), attributes.Flag("keep"))];
}
