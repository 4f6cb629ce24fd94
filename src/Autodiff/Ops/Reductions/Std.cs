namespace Convoy.Autodiff.Ops;

// y = √variance        x over axes; keep: reduced dimensions stay as 1
internal sealed class Std : CompositeOp
{
    public override string Name => "std";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        builder.Apply(OpTable.Variance, attributes, x) is var v ? [v[0].Sqrt()] : [];
}
