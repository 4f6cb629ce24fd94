namespace Convoy.Autodiff.Ops;

// y = √variance        x over axes; keep: reduced dimensions stay as 1
// The gradient of elements that are all equal is 0, the subgradient of least norm.
internal sealed class Std : CompositeOp
{
    public override string Name => "std";
    internal override string Settings => "axes keep unbiased";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var variance = builder.Apply(OpTable.Variance, attributes, x)[0];
        var positive = variance.Greater(variance.Constant(0));
        return [positive.Where(positive.Where(variance, variance.Constant(1)).Sqrt(), variance)];
    }
}
