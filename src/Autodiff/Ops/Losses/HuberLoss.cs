namespace Convoy.Autodiff.Ops;

// y = d²/2 where |d| ≤ delta, else delta (|d| - delta/2), d = x - target; reduction: sum, none, or mean unless given
internal sealed class HuberLoss : CompositeOp
{
    public override string Name => "huber-loss";
    internal override string Settings => "reduction delta";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        RequireOneShape(x);
        var delta = attributes.Number("delta", 1);
        Require(delta > 0, $"delta is above 0, not {delta}");
        var size = (x[0] - x[1]).Abs();
        var near = size.LessEqual(size.Constant(delta));
        // What is far has no part in the square: the gradient of an infinite one would be 0 times infinity.
        var square = near.Where(size, size.Constant(0)).Square() * 0.5;
        return [Losses.Reduced(near.Where(square, (size - (delta / 2)) * delta), attributes)];
    }
}
