namespace Convoy.Autodiff.Ops;

// y = ln Σ e^x without overflow: the largest of each group is taken out first and carries no gradient of its own
// x over axes; keep: reduced dimensions stay as 1
internal sealed class LogSumExp : CompositeOp
{
    public override string Name => "log-sum-exp";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        if (Reduction.OfNothing(x[0], attributes, double.NegativeInfinity) is { } none) return [none];
        var axes = attributes.Ints("axes").AsSpan();
        var top = x[0].Max(axes, keep: true).StopGradient();
        // A group of -∞ alone has no largest to take out.
        var shift = top.Abs().Less(top.Constant(double.PositiveInfinity)).Where(top, top.Constant(0));
        var sum = (x[0] - shift).Exp().Sum(axes, keep: true).Log() + shift;
        return [attributes.Flag("keep") ? sum
            : sum.Reshape(Axes.Reduced(x[0].Type, attributes.Ints("axes"), keep: false))];
    }
}
