using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// dgain = Σ rows of dy (x - mean) rstd, dbias = Σ rows of dy        dy, x_..D, mean_.., rstd_.. -> dgain_D, dbias_D
// d dy = h ugain + ubias; dx, dmean and drstd through h = (x - mean) rstd
internal sealed class LayerNormGradGain : FloatOp
{
    public override string Name => "layer-norm-grad-gain";
    public override string Sharding => "+a... d, +a... d, +a..., +a... -> d, d";

    internal override Value[]? Batched(OpBatch b)
    {
        var (dy, x, mean, rstd) = (b.Spread(0), b.Spread(1), b.Spread(2), b.Spread(3));
        var h = (x - mean.Unsqueeze(-1)) * rstd.Unsqueeze(-1);
        int[] rows = [.. Enumerable.Range(1, dy.Type.Rank - 2)];
        return rows.Length == 0 ? [dy * h, dy] : [(dy * h).Sum(rows), dy.Sum(rows)];
    }
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;
    internal override bool SumsSamples(Attributes attributes) => true;

    internal override int RowsPerSample(Attributes attributes, ReadOnlySpan<TensorType> inputs) =>
        inputs[2].BatchAxis == 0 ? checked((int)inputs[2].Coefficient) : 0;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 4);
        RequireFloat(inputs);
        var (dy, x) = (inputs[0], inputs[1]);
        Require(dy.Equals(x) && x.Rank > 0 && !x[-1].PerSample, $"{dy.Text} is not the gradient of {x.Text}");
        var rows = x.With(x.Dims.AsSpan()[..^1]);
        Require(inputs[2].Equals(rows) && inputs[3].Equals(rows), $"mean and rstd are {rows.Text}");
        return [x.With(x[-1]), x.With(x[-1])];
    }

    private protected override void Run<T>(OpCall call)
    {
        var n = call.Outputs[0].Shape[0];
        Span<int> starts = stackalloc int[2];
        var segments = call.SegmentsOf((int)call.Inputs[2].Count, starts);
        Kernels.LayerNorm.SegmentedGradGainBias(
            call.In<T>(0), call.In<T>(1), n, call.In<T>(2), call.In<T>(3), call.Nodes<T>(), call.StrideOf(),
            call.Nodes<T>(1), call.StrideOf(1), segments);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (dy, x, mean, rstd) = (g.X, g.Inputs[1], g.Inputs[2], g.Inputs[3]);
        var r = rstd.Unsqueeze(-1);
        var centered = x - mean.Unsqueeze(-1);
        var (uGain, uBias) = (g.DyOf(0), g.DyOf(1));
        var throughGain = uGain is null ? null : centered * r * uGain.BroadcastLike(x.Type.Dims);
        var throughBias = uBias?.BroadcastLike(x.Type.Dims);
        var dDy = throughGain is null ? throughBias : throughBias is null ? throughGain : throughGain + throughBias;
        if (uGain is null) return [dDy, null, null, null];

        var last = x.Type.Rank - 1;
        var dh = dy * uGain;
        var dx = dh * r;
        return [dDy, dx, g.Needs(2) ? -dx.Sum([last]) : null, g.Needs(3) ? (dh * centered).Sum([last]) : null];
    }
}
