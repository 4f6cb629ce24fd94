namespace Convoy.Autodiff.Ops;

// y = Σ (x - mean)² / (n - 1), or / n where unbiased is 0        x over axes; keep: reduced dimensions stay as 1
internal sealed class Variance : CompositeOp
{
    public override string Name => "variance";
    internal override string Settings => "axes keep unbiased";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var axes = attributes.Ints("axes");
        var square = (x[0] - x[0].Mean(axes.AsSpan(), keep: true)).Square().Sum(axes.AsSpan(), attributes.Flag("keep"));
        // Of nothing there is no variance: 0 / 0.
        return [square / Reduction.CountBut(attributes.Int("unbiased", 1), x[0], attributes)];
    }
}
