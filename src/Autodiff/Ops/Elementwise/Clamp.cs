using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = min(max(x, min), max)        x, y of one shape; a bound that is not given is infinite
// dx = dy where min ≤ x ≤ max, else 0, for a NaN too; dy at the bounds unless the attribute kink chooses
internal sealed class Clamp : FloatOp, IBlockwise
{
    public override string Name => "clamp";
    public override string Sharding => "a... -> a...";
    internal override string Settings => "min max kink";

    internal override Value[]? Batched(OpBatch b) => b.Elementwise();
    internal override bool MayOverwrite(int input) => true;
    internal override Value?[] Tangent(OpTangent t) => Backward(t.AsGradient());

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var (low, high) = Bounds(attributes);
        Require(low <= high, $"the lower bound {low} is above the upper bound {high}");
        return [inputs[0]];
    }

    private protected override void Run<T>(OpCall call) => Limit(call.Attributes, call.In<T>(0), call.Out<T>());

    public void Block(
        Attributes attributes, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> y) =>
        Limit(attributes, a, y);

    private static void Limit<T>(Attributes attributes, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var (low, high) = Bounds(attributes);
        var (least, most) = (T.CreateTruncating(low), T.CreateTruncating(high));
        for (var i = 0; i < x.Length; i++) y[i] = x[i] < least ? least : x[i] > most ? most : x[i];
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (low, high) = Bounds(g.Attributes);
        return Kink.At(
            g, g.Dy * g.X.GreaterEqual(g.X.Constant(low)) * g.X.LessEqual(g.X.Constant(high)),
            (low, 0, 1), (high, 1, 0));
    }

    private static (double Low, double High) Bounds(Attributes a) =>
        (a.Number("min", double.NegativeInfinity), a.Number("max", double.PositiveInfinity));
}
