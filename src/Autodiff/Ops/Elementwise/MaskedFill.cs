namespace Convoy.Autodiff.Ops;

// y = value where mask is not 0, else x        x, mask (numbers or int32) -> y, dimensions of size 1 repeated
internal sealed class MaskedFill : CompositeOp
{
    public override string Name => "masked-fill";
    internal override string Settings => "value";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[1].Where(x[0].Constant(attributes.Number("value")), x[0])];
}
