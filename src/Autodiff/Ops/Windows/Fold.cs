using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[n, c, pixel] = Σ x[n, c, t, p] over the taps and places that see the pixel; the adjoint of unfold
// x_NCTP -> y_NC(sizes)        dx = unfold of dy
internal sealed class Fold : FloatOp
{
    public override string Name => "fold";
    internal override string Settings => "kernel stride padding dilation value sizes";
    public override string Sharding => "n c !t !p -> n c h...; lin(x)";

    internal override Value[]? Batched(OpBatch b) => b.Folded(1);
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var (x, sizes) = (inputs[0], attributes.Ints("sizes"));
        var shape = WindowShape.Of(this, attributes, sizes.AsSpan());
        Require(
            x.Rank == 4 && x.BatchAxis <= 0 && x[2] == shape.Taps && x[3] == shape.Places,
            $"{x.Text} is not [N, C, {shape.Taps}, {shape.Places}]");
        return [x.With([x[0], x[1], .. sizes.Select(s => new Dim(s))])];
    }

    private protected override void Run<T>(OpCall call)
    {
        var shape = WindowShape.Of(this, call.Attributes, call.Attributes.Ints("sizes").AsSpan());
        var map = shape.Map();
        var x = call.In<T>(0);
        var y = call.Out<T>();
        y.Clear();
        for (var plane = 0; plane < call.Inputs[0].Shape[0] * call.Inputs[0].Shape[1]; plane++)
        {
            var from = x.Slice(plane * map.Length, map.Length);
            var to = y.Slice(plane * shape.Pixels, shape.Pixels);
            for (var i = 0; i < map.Length; i++)
                if (map[i] >= 0) to[map[i]] += from[i];
        }
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(OpTable.Unfold, g.Attributes.Without("sizes"))];
}
