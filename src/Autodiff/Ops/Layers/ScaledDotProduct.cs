namespace Convoy.Autodiff.Ops;

// y = softmax(q kᵀ / √d + mask) v        q_..TD, k_..SD, v_..SE, mask of the scores (added) -> y_..TE; causal: place
// t sees s ≤ t
internal sealed class ScaledDotProduct : CompositeOp
{
    public override string Name => "scaled-dot-product";
    internal override string Settings => "causal";
    private protected override (int Least, int Most) Arity => (3, 4);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        Require(x[0].Type.Rank >= 2 && !x[0].Type[-1].PerSample,
            $"queries are [.., places, width] of fixed width, not {x[0].Type.Text}");
        var scores = x[0].MatMul(x[1], tb: true) / Math.Sqrt(x[0].Type[-1].Size);
        if (x.Length == 4) scores += x[3];
        if (attributes.Flag("causal"))
        {
            Require(!scores.Type[-1].PerSample && !scores.Type[-2].PerSample,
                $"causal places are not those of the batch, as in {scores.Type.Text}");
            var (t, s) =
                (builder.Iota(scores.Type[-2], scores.Type.DType).Unsqueeze(1),
                    builder.Iota(scores.Type[-1], scores.Type.DType));
            scores = t.GreaterEqual(s).Where(scores, scores.Constant(double.NegativeInfinity));
        }

        return [scores.Softmax().MatMul(x[2])];
    }
}
