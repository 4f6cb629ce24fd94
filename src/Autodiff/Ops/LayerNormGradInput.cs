using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// dx = rstd (p - Σp/D - h Σ(p h)/D), h = (x - mean) rstd, p = dy gain
// dy, x_..D, gain_D, mean_.., rstd_.. -> dx_..D
// d of all five with cotangent u; mean and rstd are operands of their own, layer-norm takes theirs on to its x.
internal sealed class LayerNormGradInput : FloatOp
{
    public override string Name => "layer-norm-grad-input";
    public override string Sharding => "a... !d, a... !d, d, a..., a... -> a... d";

    internal override Value[]? Batched(OpBatch b)
    {
        var (x, mean, rstd) = (b.Spread(1), b.Spread(3), b.Spread(4));
        if (!b.Carries(2)) return b.Apply(b.Attributes, b.Spread(0), x, b.Inputs[2], mean, rstd);
        // A gain of each sample acts on dy before anything else does.
        var p = b.Lifted(0, b.RankOf(0)) * b.Lifted(2, b.RankOf(0));
        var one = b.Builder.Full(1, p.Type.With(p.Type[-1]));
        return b.Apply(b.Attributes, p, x, one, mean, rstd);
    }
    internal override bool MayOverwrite(int input) => input == 0;
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 5);
        RequireFloat(inputs);
        var (dy, x) = (inputs[0], inputs[1]);
        Require(dy.Equals(x) && x.Rank > 0 && !x[-1].PerSample && x[-1] != 0,
            $"{dy.Text} is not the gradient of {x.Text}");
        var rows = x.With(x.Dims.AsSpan()[..^1]);
        Require(inputs[2].Equals(x.With(x[-1])), $"the gain is [{x[-1]}]");
        Require(inputs[3].Equals(rows) && inputs[4].Equals(rows), $"mean and rstd are {rows.Text}");
        return [x];
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.LayerNorm.GradInput(
            call.In<T>(0), call.In<T>(1), call.In<T>(2), call.In<T>(3), call.In<T>(4), call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (dy, x, gain, mean, rstd, u) = (g.X, g.Inputs[1], g.Inputs[2], g.Inputs[3], g.Inputs[4], g.Dy);
        var last = x.Type.Rank - 1;
        var count = 1.0 / x.Type[last].Size;
        Value Average(Value v) => v.Sum([last], keep: true) * count;
        var r = rstd.Unsqueeze(-1);
        var centered = x - mean.Unsqueeze(-1);
        var h = centered * r;
        var p = dy * gain;

        // dx is symmetric in p and u: the gradient for p is the same map of u.
        var dp = (u - Average(u) - (h * Average(u * h))) * r;
        var (dDy, dGain) = (dp * gain, g.Needs(2) ? dp * dy : null);
        if (!g.Needs(1) && !g.Needs(3) && !g.Needs(4)) return [dDy, null, dGain, null, null];

        // z = rstd q, q = p - avg p - h avg(p h). Through h: dh = -rstd (u avg(ph) + p avg(uh)); through rstd: Σ u q.
        var dh = -(((u * Average(p * h)) + (p * Average(u * h))) * r);
        var dx = dh * r;
        var dMean = g.Needs(3) ? -dx.Sum([last]) : null;
        if (!g.Needs(4)) return [dDy, dx, dGain, dMean, null];
        var q = p - Average(p) - (h * Average(p * h));
        return [dDy, dx, dGain, dMean, ((dh * centered) + (u * q)).Sum([last])];
    }
}
