using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = ψ⁽ⁿ⁾(x), the derivative of order n + 1 of ln Γ; n = 0 is the digamma function        x, y of one shape
// dx = dy ψ⁽ⁿ⁺¹⁾(x)
internal sealed class Polygamma : FloatOp
{
    internal override string Settings => "n";

    private const int OrderMax = 16;

    public override string Name => "polygamma";
    public override string Sharding => "a... -> a...";

    internal override Value[]? Batched(OpBatch b) => b.Elementwise();
    internal override bool MayOverwrite(int input) => true;
    internal override Value?[] Tangent(OpTangent t) => Backward(t.AsGradient());

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        Require(attributes.Int("n") is >= 0 and <= OrderMax,
            $"the order is 0 to {OrderMax}, not {attributes.Int("n")}");
        return [inputs[0]];
    }

    private protected override void Run<T>(OpCall call)
    {
        var n = call.Attributes.Int("n");
        var x = call.In<T>(0);
        var y = call.Out<T>();
        for (var i = 0; i < x.Length; i++)
            y[i] = T.CreateTruncating(GammaFunctions.Polygamma(n, double.CreateTruncating(x[i])));
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.X.Polygamma(g.Attributes.Int("n") + 1)];
}
