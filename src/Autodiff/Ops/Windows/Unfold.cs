using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[n, c, t, p] = the pixel that tap t of the window at place p sees in plane c of image n, value in the padding
// x_NC(sizes) -> y_NCTP, T = Π kernel, P = Π places; any number of dimensions        dx = fold of dy
internal sealed class Unfold : FloatOp
{
    public override string Name => "unfold";
    internal override string Settings => "kernel stride padding dilation value";
    public override string Sharding => "n c !h... -> n c t p; lin(x)";

    internal override Value[]? Batched(OpBatch b) => b.Folded(1);
    internal override Value?[] Tangent(OpTangent t) =>
        [t.Builder.Apply(this, t.Attributes.With("value", 0.0), [t.Dx(0)!])[0]];

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var shape = WindowShape.Of(this, attributes, inputs[0]);
        return [inputs[0].With(inputs[0][0], inputs[0][1], shape.Taps, shape.Places)];
    }

    private protected override void Run<T>(OpCall call)
    {
        var shape = WindowShape.Of(this, call.Attributes, call.Inputs[0].Type);
        var map = shape.Map();
        var x = call.In<T>(0);
        var y = call.Out<T>();
        var outside = T.CreateTruncating(call.Attributes.Number("value"));
        for (var plane = 0; plane < call.Inputs[0].Shape[0] * call.Inputs[0].Shape[1]; plane++)
        {
            var from = x.Slice(plane * shape.Pixels, shape.Pixels);
            var to = y.Slice(plane * map.Length, map.Length);
            for (var i = 0; i < map.Length; i++) to[i] = map[i] < 0 ? outside : from[map[i]];
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        int[] sizes = [.. g.X.Type.Dims.Skip(2).Select(d => d.Size)];
        return [g.Dy.Apply(OpTable.Fold, g.Attributes.With("value", 0.0).With("sizes", sizes))];
    }
}
