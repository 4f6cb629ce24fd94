using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[n, c, h, w] = x[n, c, i[n, c, h, w]]        x_NCHW read as planes, i_NChw places h·W + w -> y_NChw
// dx = dy added at the places i
internal sealed class PlaneGather : FloatOp
{
    public override string Name => "plane-gather";
    public override string Sharding => "n c !h !w, n c i j -> n c i j";

    internal override Value[]? Batched(OpBatch b) => b.Folded(2);
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        var (x, i) = (inputs[0], inputs[1]);
        RequireFloat(x);
        RequireIndex(i);
        ImageShapes.CheckImage(this, x, "the input");
        Require(i.Rank == 4 && i[0] == x[0] && i[1] == x[1], $"places {i.Text} are not those of {x.Text}");
        return [x.With(i.Dims.AsSpan())];
    }

    private protected override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var i = call.In<int>(1);
        var y = call.Out<T>();
        var (xs, ys) = (call.Inputs[0].Shape, call.Outputs[0].Shape);
        var (plane, window) = (xs[2] * xs[3], ys[2] * ys[3]);
        for (var p = 0; p < xs[0] * xs[1]; p++)
            for (var k = p * window; k < (p + 1) * window; k++)
                y[k] = x[(p * plane) + IndexedOp.Place(this, i[k], plane)];
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (x, i) = (g.X.Type, g.Inputs[1].Type);
        var places = g.Inputs[1].Reshape(i[0], i[1], i[2].Size * i[3].Size);
        var zero = g.Builder.Full(0, x.With(x[0], x[1], x[2].Size * x[3].Size));
        return [zero.ScatterAdd(2, places, g.Dy.ReshapeLike(places.Type.Dims)).ReshapeLike(x.Dims), null];
    }
}
