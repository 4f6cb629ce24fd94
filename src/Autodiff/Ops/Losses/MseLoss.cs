namespace Convoy.Autodiff.Ops;

// y = (x - target)²; reduction: sum, none, or mean unless given
internal sealed class MseLoss : CompositeOp
{
    public override string Name => "mse-loss";
    internal override string Settings => "reduction";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        RequireOneShape(x);
        return [Losses.Reduced((x[0] - x[1]).Square(), attributes)];
    }
}
