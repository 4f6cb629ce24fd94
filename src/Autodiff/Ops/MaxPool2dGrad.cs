using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// dx = dy added at the places i, 0 elsewhere        dy_NChw, i_NChw -> dx_NCHW, H and W are attributes
// d dy = u gathered at the places i
internal sealed class MaxPool2dGrad : FloatOp
{
    public override string Name => "max-pool2d-grad";
    public override string Sharding => "n c ~h ~w, n c ~h ~w -> n c h w";
    internal override string Settings => "kernel stride padding height width";

    internal override Value[]? Batched(OpBatch b) => b.Folded(2);
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        var (dy, i) = (inputs[0], inputs[1]);
        RequireFloat(dy);
        RequireIndex(i);
        ImageShapes.CheckImage(this, dy, "the gradient");
        var x = dy.With(dy[0], dy[1], attributes.Int("height"), attributes.Int("width"));
        var shape = ImageShapes.CheckPool(this, attributes, x);
        Require(
            dy[2] == shape.OutH && dy[3] == shape.OutW && i.Equals(dy.With(i.DType)),
            $"{dy.Text} is not the pooling of {x.Text}");
        return [x];
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var shape = ImageShapes.Pool(call.Attributes, call.Outputs[0].Shape);
        Pooling.MaxBackward(call.In<T>(0), call.In<int>(1), call.Out<T>(), shape);
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.Apply(OpTable.PlaneGather, g.Inputs[1]), null];
}
