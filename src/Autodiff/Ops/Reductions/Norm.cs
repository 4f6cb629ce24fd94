namespace Convoy.Autodiff.Ops;

// y = (Σ |x|^p)^(1/p); p = 2 unless given        x over axes; keep: reduced dimensions stay as 1
// The gradient at 0 is 0, the subgradient of least norm; for p = 1 the attribute kink of abs chooses another.
internal sealed class Norm : CompositeOp
{
    public override string Name => "norm";
    internal override string Settings => "axes keep p kink";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var p = attributes.Number("p", 2);
        Require(p >= 1, $"p is 1 or more, or infinite, not {p}");
        var axes = attributes.Ints("axes").AsSpan();
        var keep = attributes.Flag("keep");
        if (p == 1)
        {
            var size = x[0].Apply(OpTable.Abs, attributes.Only(Kink.Attribute));
            return [size.Sum(axes, keep)];
        }

        if (double.IsPositiveInfinity(p))
            return [Reduction.OfNothing(x[0], attributes, 0) ?? x[0].Abs().Max(axes, keep)];
        var sum = (p == 2 ? x[0].Square() : x[0].Abs().Pow(p)).Sum(axes, keep);
        var positive = sum.Greater(sum.Constant(0));
        var root = positive.Where(sum, sum.Constant(1));
        return [positive.Where(p == 2 ? root.Sqrt() : root.Pow(1 / p), sum)];
    }
}
