namespace Convoy.Autodiff.Ops;

// y = min x: every element holds        x over axes; keep: reduced dimensions stay as 1
internal sealed class ForAll : CompositeOp
{
    public override string Name => "for-all";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [Reduction.OfNothing(x[0], attributes, 1)
            ?? x[0].Min(attributes.Ints("axes").AsSpan(), attributes.Flag("keep"))];
}
