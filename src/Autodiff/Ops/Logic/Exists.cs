namespace Convoy.Autodiff.Ops;

// y = max x: some element holds        x over axes; keep: reduced dimensions stay as 1
internal sealed class Exists : CompositeOp
{
    public override string Name => "exists";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [Reduction.OfNothing(x[0], attributes, 0)
            ?? x[0].Max(attributes.Ints("axes").AsSpan(), attributes.Flag("keep"))];
}
