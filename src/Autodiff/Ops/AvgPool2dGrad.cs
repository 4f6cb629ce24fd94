using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// dx = dy / window repeated over each window        dy_NChw -> dx_NCHW, H and W are attributes
// d dy = avg-pool2d of u
internal sealed class AvgPool2dGrad : FloatOp
{
    public override string Name => "avg-pool2d-grad";
    public override string Sharding => "n c ~h ~w -> n c h w";
    internal override string Settings => "kernel stride padding height width";

    internal override Value[]? Batched(OpBatch b) => b.Folded(1);
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var dy = inputs[0];
        ImageShapes.CheckImage(this, dy, "the gradient");
        var x = dy.With(dy[0], dy[1], attributes.Int("height"), attributes.Int("width"));
        var shape = ImageShapes.CheckPool(this, attributes, x);
        Require(dy[2] == shape.OutH && dy[3] == shape.OutW, $"{dy.Text} is not the pooling of {x.Text}");
        return [x];
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Pooling.AvgBackward(call.In<T>(0), call.Out<T>(), ImageShapes.Pool(call.Attributes, call.Outputs[0].Shape));
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.Apply(OpTable.AvgPool2d, g.Attributes.Without("height", "width"))];
}
