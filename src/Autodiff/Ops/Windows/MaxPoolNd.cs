using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = the largest of each window, never of the padding; -∞ of padding alone        x_NC(sizes) -> y_NC(places)
// dx = dy at the largest; of equals, and of NaNs, the first has it, as in max-pool2d, unless the attribute ties
// says last or share
internal sealed class MaxPoolNd : FloatOp
{
    public override string Name => "max-pool";
    public override string Sharding => "n c ~h... -> n c p...";
    internal override string Settings => "kernel stride padding dilation ties";

    internal override Value[]? Batched(OpBatch b) => b.Folded(1);

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        Ties.Check(this, attributes);
        var x = inputs[0];
        var shape = WindowShape.Of(this, PoolWindows.Of(this, attributes, x), x);
        return [x.With([x[0], x[1], .. shape.Out.Select(s => new Dim(s))])];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows)
    {
        var shape = WindowShape.Of(this, PoolWindows.Of(this, attributes, inputs[0]), inputs[0]);
        return new OpCost(shape.Taps * outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));
    }

    private protected override void Run<T>(OpCall call)
    {
        var type = call.Inputs[0].Type;
        var shape = WindowShape.Of(this, PoolWindows.Of(this, call.Attributes, type), type);
        var (map, places) = (shape.Map(), shape.Places);
        var x = call.In<T>(0);
        var y = call.Out<T>();
        for (var plane = 0; plane < call.Inputs[0].Shape[0] * call.Inputs[0].Shape[1]; plane++)
        {
            var from = x.Slice(plane * shape.Pixels, shape.Pixels);
            for (var place = 0; place < places; place++)
                y[(plane * places) + place] = Largest(from, map, place, places);
        }
    }

    private static T Largest<T>(ReadOnlySpan<T> plane, int[] map, int place, int places)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var best = T.NegativeInfinity;
        for (var i = place; i < map.Length; i += places)
        {
            if (map[i] < 0) continue;
            var value = plane[map[i]];
            if (value > best || T.IsNaN(value)) best = value;
            if (T.IsNaN(best)) break;
        }

        return best;
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var type = g.X.Type;
        var windows = PoolWindows.Of(this, g.Attributes, type).With("value", 0.0);
        Dim[] sizes = [.. type.Dims.Skip(2)];
        Value Unfolded(Value x) => x.Apply(OpTable.Unfold, windows);
        Value ToWindows(Value y) =>
            y.Reshape([type[0], type[1], 1, y.Type.Dims.Skip(2).Aggregate((Dim)1, (a, d) => a * d)]);

        // The padding is no element: it may be as large as the largest, and is never chosen.
        var inside = Unfolded(g.Builder.Full(1, type.With([1, 1, .. sizes])));
        var seen = Unfolded(g.X);
        var chosen = (seen.Equal(ToWindows(g.Y)) + seen.NotEqual(seen)) * inside;
        var dx = Ties.Among(chosen, ToWindows(g.Dy), [2], g.Attributes.Text(Ties.Attribute, "first"));
        return [dx.Apply(OpTable.Fold, windows.With("sizes", sizes.Select(s => s.Size).ToArray()))];
    }
}
