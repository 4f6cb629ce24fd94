namespace Convoy.Autodiff.Ops;

// y = max(0, margin - t x), t is 1 or -1; reduction: sum, none, or mean unless given
internal sealed class HingeLoss : CompositeOp
{
    public override string Name => "hinge-loss";
    internal override string Settings => "reduction margin";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        RequireOneShape(x);
        return [Losses.Reduced((attributes.Number("margin", 1) - (x[0] * x[1])).Relu(), attributes)];
    }
}
