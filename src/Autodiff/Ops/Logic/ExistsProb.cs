namespace Convoy.Autodiff.Ops;

// y = 1 - Π (1 - x): some of independent events        x over axes; keep: reduced dimensions stay as 1
internal sealed class ExistsProb : CompositeOp
{
    public override string Name => "exists-prob";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].OneMinus().Product(attributes.Ints("axes").AsSpan(), attributes.Flag("keep")).OneMinus()];
}
