namespace Convoy.Autodiff.Ops;

// y = ln(1 - e^x): "not" of ln p, x below 0        x, y of one shape
internal sealed class LogNot : CompositeOp
{
    public override string Name => "log-not";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [SmoothLogic.LogOneMinusExp(x[0])];
}
