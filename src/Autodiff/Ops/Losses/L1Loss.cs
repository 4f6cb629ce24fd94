namespace Convoy.Autodiff.Ops;

// y = |x - target|; reduction: sum, none, or mean unless given
internal sealed class L1Loss : CompositeOp
{
    public override string Name => "l1-loss";
    internal override string Settings => "reduction";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        RequireOneShape(x);
        return [Losses.Reduced((x[0] - x[1]).Abs(), attributes)];
    }
}
