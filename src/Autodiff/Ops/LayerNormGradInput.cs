using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// dx = rstd (p - Σp/D - h Σ(p h)/D), h = (x - mean) rstd, p = dy gain
// dy, x_..D, gain_D, mean_.., rstd_.. -> dx_..D
// The second derivative is that of the same formula in terms of x, gain and dy (mean and rstd follow from x).
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
        Require(dy.Equals(x) && x.Rank > 0 && !x[-1].PerSample && x[-1].Size > 0,
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
        var r = rstd.Reshape([.. rstd.Type.Dims, 1]);
        var h = (x - mean.Reshape([.. mean.Type.Dims, 1])) * r;
        var p = dy * gain;

        // dx is symmetric in p and u: the gradient for p is the same map of u.
        var dp = (u - Average(u) - (h * Average(u * h))) * r;
        if (!g.Needs(1)) return [dp * gain, null, g.Needs(2) ? dp * dy : null, null, null];

        // z = rstd q, q = p - avg p - h avg(p h). Through h: dh = -rstd (u avg(ph) + p avg(uh)); through rstd: Σ u q.
        var dh = -(((u * Average(p * h)) + (p * Average(u * h))) * r);
        var q = p - Average(p) - (h * Average(p * h));
        var throughH = (dh - Average(dh) - (h * Average(dh * h))) * r;
        // rstd falls with the variance: d rstd / dx = -rstd² h / D.
        var throughR = -(h * r.Square() * (u * q).Sum([last], keep: true)) * count;
        return [dp * gain, throughH + throughR, g.Needs(2) ? dp * dy : null, null, null];
    }
}
