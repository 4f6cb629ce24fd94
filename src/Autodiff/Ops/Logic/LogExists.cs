namespace Convoy.Autodiff.Ops;

// y = ln(1 - Π (1 - e^x)): ln of "some of independent events" from their ln p, x below 0        x over axes; keep:
// reduced dimensions stay as 1
internal sealed class LogExists : CompositeOp
{
    public override string Name => "log-exists";
    internal override string Settings => "axes keep";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var none = SmoothLogic.LogOneMinusExp(x[0]).Sum(attributes.Ints("axes").AsSpan(), attributes.Flag("keep"));
        return [SmoothLogic.LogOneMinusExp(none)];
    }
}
