namespace Convoy.Autodiff.Ops;

// y = Σ x: ln of "all of independent events" from their ln p        x over axes; keep: reduced dimensions stay as 1
internal sealed class LogForAll : CompositeOp
{
    public override string Name => "log-for-all";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].Sum(attributes.Ints("axes").AsSpan(), attributes.Flag("keep"))];
}
