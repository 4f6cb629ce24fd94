using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = largest of each window, i = its place h·W + w in the plane (the first of equals)        x_NCHW -> y_NChw, i_NChw
// dx = dy put back at i
internal sealed class MaxPool2d : FloatOp
{
    public override string Name => "max-pool2d";
    public override string Sharding => "n c ~h ~w -> n c h w, n c h w";
    internal override string Settings => "kernel stride padding";

    internal override Value[]? Batched(OpBatch b) => b.Folded(1);

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var shape = ImageShapes.CheckPool(this, attributes, inputs[0]);
        var y = inputs[0].With(inputs[0][0], inputs[0][1], shape.OutH, shape.OutW);
        return [y, y.With(DType.Int32)];
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var shape = ImageShapes.Pool(call.Attributes, call.Inputs[0].Shape);
        Pooling.MaxForward(call.In<T>(0), call.Out<T>(), call.Out<int>(1), shape);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var x = g.X.Type;
        var size = g.Attributes.With("height", x[2].Size).With("width", x[3].Size);
        return [g.Dy.Apply(OpTable.MaxPool2dGrad, size, g.Outputs[1])];
    }
}
