using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = (x - mean) rstd gain + bias        x_..D, gain_D, bias_D -> y_..D, mean_.., rstd_..; variance over D, not D - 1
// dx = layer-norm-grad-input + dmean / D - drstd rstd³ (x - mean) / D, dgain and dbias = layer-norm-grad-gain
internal sealed class LayerNorm : FloatOp
{
    public override string Name => "layer-norm";
    public override string Sharding => "a... !d, d, d -> a... d, a..., a...";
    internal override string Settings => "epsilon";

    internal override Value[]? Batched(OpBatch b)
    {
        if (!b.Carries(1) && !b.Carries(2)) return b.Apply(b.Attributes, [.. b.Inputs]);
        // Gains of each sample: normalize first, then what they do.
        var (x, width) = (b.Spread(0), b.Inputs[1].Type[-1]);
        var plain = x.Type.With(width);
        var y = b.Apply(b.Attributes, x, b.Builder.Full(1, plain), b.Builder.Full(0, plain));
        var rank = b.RankOf(0);
        return [(y[0] * b.Lifted(1, rank)) + b.Lifted(2, rank), y[1], y[2]];
    }

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 3);
        RequireFloat(inputs);
        var x = inputs[0];
        Require(x.Rank > 0 && !x[-1].PerSample && x[-1] != 0,
            $"runs over a last dimension of fixed size, not {x.Text}");
        Require(inputs[1].Equals(x.With(x[-1])) && inputs[2].Equals(inputs[1]), $"gain and bias are [{x[-1]}]");
        var rows = x.With(x.Dims.AsSpan()[..^1]);
        return [x, rows, rows];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(8 * outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var epsilon = T.CreateTruncating(call.Attributes.Number("epsilon", Functions.LayerNormEpsilon));
        Kernels.LayerNorm.Forward(
            call.In<T>(0), call.In<T>(1), call.In<T>(2), epsilon, call.Out<T>(), call.Out<T>(1), call.Out<T>(2));
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (x, gain, mean, rstd) = (g.X, g.Inputs[1], g.Outputs[1], g.Outputs[2]);
        var dy = g.DyOf(0);
        var dx = g.Needs(0) ? ThroughStatistics(g, dy?.Apply(OpTable.LayerNormGradInput, x, gain, mean, rstd)) : null;
        if (dy is null || (!g.Needs(1) && !g.Needs(2))) return [dx, null, null];
        var gains = g.Builder.Apply(OpTable.LayerNormGradGain, Attributes.None, [dy, x, mean, rstd]);
        return [dx, gains[0], gains[1]];
    }

    // Derivatives of the gradient reach x by mean and rstd too: these are results like y.
    private static Value? ThroughStatistics(OpGradient g, Value? dx)
    {
        var share = 1.0 / g.X.Type[-1].Size;
        if (g.DyOf(1) is { } dMean)
        {
            var throughMean = (dMean * share).Unsqueeze(-1).BroadcastLike(g.X.Type.Dims);
            dx = dx is null ? throughMean : dx + throughMean;
        }

        if (g.DyOf(2) is not { } dRstd) return dx;
        var centered = g.X - g.Outputs[1].Unsqueeze(-1);
        var throughRstd = centered * (dRstd * g.Outputs[2].Pow(3) * -share).Unsqueeze(-1);
        return dx is null ? throughRstd : dx + throughRstd;
    }
}
