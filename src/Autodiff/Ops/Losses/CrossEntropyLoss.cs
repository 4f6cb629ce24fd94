namespace Convoy.Autodiff.Ops;

// y = nll of log-softmax, smoothing: that share of the target is spread evenly over all classes; ignore: a class
// that does not count x_NC, targets_N (int32); reduction: sum, none, or mean unless given
internal sealed class CrossEntropyLoss : CompositeOp
{
    public override string Name => "cross-entropy-loss";
    internal override string Settings => "smoothing reduction ignore";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var smoothing = attributes.Number("smoothing", 0);
        Require(smoothing is >= 0 and <= 1, $"the smoothing is 0 to 1, not {smoothing}");
        return [Losses.OfClasses(builder, x[0].LogSoftmax(), x[1], smoothing, attributes, Name)];
    }
}
