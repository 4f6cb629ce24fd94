namespace Convoy.Autodiff.Ops;

// y = (x - mean) / √(variance + epsilon) gain + bias over the last dimensions, as many as axes says        gain,
// bias of their shape
internal sealed class LayerNormAny : CompositeOp
{
    public override string Name => "layer-norm-any";
    internal override string Settings => "axes epsilon";
    private protected override (int Least, int Most) Arity => (1, 3);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var count = attributes.Int("axes", 1);
        Require(count > 0 && count <= x[0].Type.Rank, $"{x[0].Type.Text} has not {count} dimensions to normalize");
        Normalized.Check(x, x[0].Type.Dims.AsSpan()[^count..]);
        int[] axes = [.. Enumerable.Range(x[0].Type.Rank - count, count)];
        return [Normalized.Over(x, axes, attributes, v => v)];
    }
}
