namespace Convoy.Autodiff.Ops;

// y = x / √(mean x² + epsilon) gain over the last dimension        x_..D, gain_D -> y_..D
internal sealed class RmsNorm : CompositeOp
{
    public override string Name => "rms-norm";
    internal override string Settings => "epsilon";
    private protected override (int Least, int Most) Arity => (1, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        Require(x[0].Type.Rank > 0, "there is no last dimension to normalize");
        Normalized.Check(x, x[0].Type.Dims.AsSpan()[^1..]);
        var scale = (x[0].Square().Mean([-1], keep: true) + attributes.Number("epsilon", 1e-6)).Rsqrt();
        return [x.Length == 1 ? x[0] * scale : x[0] * scale * x[1]];
    }
}
