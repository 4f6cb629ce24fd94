namespace Convoy.Autodiff.Ops;

// y = Π x: all of independent events        x over axes; keep: reduced dimensions stay as 1
internal sealed class ForAllProb : CompositeOp
{
    public override string Name => "for-all-prob";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].Product(attributes.Ints("axes").AsSpan(), attributes.Flag("keep"))];
}
