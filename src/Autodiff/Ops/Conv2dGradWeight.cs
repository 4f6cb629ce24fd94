using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// dw = Σ x dy over samples and pixels        x_NCHW, dy_NFhw -> dw_FCIJ, I and J are attributes height and width
// linear in both: dx = conv2d-grad-input of (dy, u), d dy = conv2d of (x, u)
internal sealed class Conv2dGradWeight : FloatOp
{
    public override string Name => "conv2d-grad-weight";
    public override string Sharding => "+n c ~h ~w, +n f ~h ~w -> f c i j";
    internal override string Settings => "stride padding dilation groups height width";

    internal override Value[]? Batched(OpBatch b) => b.Rows.Size == 0 ? null
        : [b.FromFilters(b.Apply(b.Grouped(), b.Channels(0), b.Channels(1))[0])];
    internal override bool IsLinearIn(uint inputMask) => inputMask is 1 or 2;
    internal override bool SumsSamples(Attributes attributes) => true;

    internal override int RowsPerSample(Attributes attributes, ReadOnlySpan<TensorType> inputs) =>
        inputs[0].BatchAxis == 0 && inputs[0][0].Size == 1 ? 1 : 0;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs);
        var (x, dy) = (inputs[0], inputs[1]);
        ImageShapes.CheckImage(this, x, "the input");
        ImageShapes.CheckImage(this, dy, "the gradient");
        var groups = attributes.Int("groups", 1);
        Require(groups > 0 && x[1].Size % groups == 0, $"{x.Text} does not fit {groups} groups");
        var w = x.With(dy[1], x[1].Size / groups, attributes.Int("height"), attributes.Int("width"));
        var shape = ImageShapes.CheckConv(this, attributes, x, w);
        Require(
            dy[0] == x[0] && dy[2] == shape.OutH && dy[3] == shape.OutW,
            $"{dy.Text} is not the result of {x.Text} and {w.Text}");
        return [w];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows)
    {
        var terms = outputs[0].Coefficient / Math.Max(1, outputs[0][0].Size);
        return new OpCost(2 * terms * inputs[1].CountAt(rows), BytesOf(inputs, outputs, rows));
    }

    private protected override void Run<T>(OpCall call)
    {
        var x = call.Inputs[0].Shape;
        var shape = ImageShapes.Conv(call.Attributes, x, call.Outputs[0].Shape);
        Span<int> starts = stackalloc int[2];
        var segments = call.SegmentsOf(x[0], starts);
        Kernels.Conv2d.SegmentedGradWeight(
            call.In<T>(0), call.In<T>(1), call.Nodes<T>(), call.StrideOf(), shape, segments);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (x, dy, u) = (g.X, g.Inputs[1], g.Dy);
        var size = g.Attributes.With("height", x.Type[2].Size).With("width", x.Type[3].Size);
        return
        [
            g.Needs(0) ? dy.Apply(OpTable.Conv2dGradInput, size, u) : null,
            g.Needs(1) ? x.Apply(OpTable.Conv2d, g.Attributes.Without("height", "width"), u) : null,
        ];
    }
}
