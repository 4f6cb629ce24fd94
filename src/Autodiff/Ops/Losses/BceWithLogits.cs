namespace Convoy.Autodiff.Ops;

// y = -t ln σ(x) - (1 - t) ln(1 - σ(x)) without overflow; reduction: sum, none, or mean unless given
internal sealed class BceWithLogits : CompositeOp
{
    public override string Name => "bce-with-logits";
    internal override string Settings => "reduction";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        RequireOneShape(x);
        return [Losses.Reduced(
            // No kink of its own: the gradient at x = 0, where training from zeros begins, is 1/2 - t.
            -(x[1] * x[0].LogSigmoid()) - (x[1].OneMinus() * (-x[0]).LogSigmoid()),
            attributes)];
    }
}
