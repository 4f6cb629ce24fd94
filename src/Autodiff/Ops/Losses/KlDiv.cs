namespace Convoy.Autodiff.Ops;

// y = t (ln t - x), x log-probabilities, 0 where t is 0; reduction: sum, none, or mean unless given (batchmean: the
// sum over the first dimension's size)
internal sealed class KlDiv : CompositeOp
{
    public override string Name => "kl-div";
    internal override string Settings => "reduction";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        RequireOneShape(x);
        var positive = x[1].Greater(x[1].Constant(0));
        var safe = positive.Where(x[1], x[1].Constant(1));
        var terms = positive.Where(x[1] * (safe.Log() - x[0]), x[1].Constant(0));
        if (attributes.Text("reduction", "mean") != "batchmean") return [Losses.Reduced(terms, attributes)];
        Require(x[0].Type.Rank > 0 && !x[0].Type.IsPerSample,
            $"batchmean divides by the size of the first dimension, which {x[0].Type.Text} has not: sum instead");
        return [terms.Sum() / x[0].Type[0].Size];
    }
}
