namespace Convoy.Autodiff.Ops;

// y = -x[target], x_NC log-probabilities, targets_N (int32); ignore: a class that does not count; reduction: sum,
// none, or mean unless given
internal sealed class NllLoss : CompositeOp
{
    public override string Name => "nll-loss";
    internal override string Settings => "reduction ignore";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [Losses.OfClasses(builder, x[0], x[1], 0, attributes, Name)];
}
