using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// dx = Σ dy w over the outputs that saw a pixel        dy_NFhw, w_FCIJ -> dx_NCHW, H and W are attributes
// linear in both: d dy = conv2d of u, dw = conv2d-grad-weight of (u, dy)
internal sealed class Conv2dGradInput : FloatOp
{
    public override string Name => "conv2d-grad-input";
    public override string Sharding => "n +f ~h ~w, +f c i j -> n c h w";
    internal override string Settings => "stride padding dilation groups height width";

    internal override Value[]? Batched(OpBatch b)
    {
        if (b.Folded(1) is { } folded) return folded;
        return b.Rows.Size == 0 ? null
            : [b.FromChannels(b.Apply(b.Grouped(), b.Channels(0), b.Filters(1))[0])];
    }
    internal override bool IsLinearIn(uint inputMask) => inputMask is 1 or 2;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs);
        var (dy, w) = (inputs[0], inputs[1]);
        Require(dy.Rank == 4 && w.Rank == 4, $"takes images and weights, not {dy.Text} and {w.Text}");
        var channels = checked(w[1].Size * attributes.Int("groups", 1));
        var x = dy.With(dy[0], channels, attributes.Int("height"), attributes.Int("width"));
        var shape = ImageShapes.CheckConv(this, attributes, x, w);
        Require(
            dy[1] == w[0] && dy[2] == shape.OutH && dy[3] == shape.OutW,
            $"{dy.Text} is not the result of {x.Text} and {w.Text}");
        return [x];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows)
    {
        var terms = inputs[1].Coefficient / Math.Max(1, inputs[1][0].Size);
        return new OpCost(2 * terms * inputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var shape = ImageShapes.Conv(call.Attributes, call.Outputs[0].Shape, call.Inputs[1].Shape);
        Kernels.Conv2d.GradInput(call.In<T>(0), call.In<T>(1), call.Out<T>(), shape);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (dy, w, u) = (g.X, g.Inputs[1], g.Dy);
        var size = g.Attributes.With("height", w.Type[2].Size).With("width", w.Type[3].Size);
        return
        [
            g.Needs(0) ? u.Apply(OpTable.Conv2d, g.Attributes.Without("height", "width"), w) : null,
            g.Needs(1) ? u.Apply(OpTable.Conv2dGradWeight, size, dy) : null,
        ];
    }
}
