namespace Convoy.Autodiff.Ops;

// y = hard as a value, soft as a gradient (Bengio and others 2013)        hard, soft, y of one shape
internal sealed class StraightThrough : CompositeOp
{
    public override string Name => "straight-through";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        RequireOneShape(x);
        return [x[1] + (x[0] - x[1]).StopGradient()];
    }
}
