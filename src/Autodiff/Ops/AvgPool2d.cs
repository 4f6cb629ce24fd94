using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// y = mean of each window, padding counts as zeros        x_NCHW -> y_NChw
// dx = avg-pool2d-grad
internal sealed class AvgPool2d : FloatOp
{
    public override string Name => "avg-pool2d";
    public override string Sharding => "n c ~h ~w -> n c h w";
    internal override string Settings => "kernel stride padding";

    internal override Value[]? Batched(OpBatch b) => b.Folded(1);
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var shape = ImageShapes.CheckPool(this, attributes, inputs[0]);
        return [inputs[0].With(inputs[0][0], inputs[0][1], shape.OutH, shape.OutW)];
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Pooling.AvgForward(call.In<T>(0), call.Out<T>(), ImageShapes.Pool(call.Attributes, call.Inputs[0].Shape));
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var x = g.X.Type;
        return [g.Dy.Apply(OpTable.AvgPool2dGrad, g.Attributes.With("height", x[2].Size).With("width", x[3].Size))];
    }
}
