using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., k, ..] = x[.., index[k], ..] on one axis        x, index (int32) of rank 1 -> y
// dx = dy added at the places of the index (index-add)
internal sealed class IndexSelect : FloatOp
{
    public override string Name => "index-select";
    public override string Sharding => "!t a..., k -> k a...";

    internal override Value[]? Batched(OpBatch b)
    {
        var axis = b.Attributes.Int("axis") + 1;
        if (!b.Carries(1)) return b.Apply(b.Attributes.With("axis", axis), [.. b.Inputs]);
        var x = b.Spread(0);
        return [x.Gather(axis, Wide(b.Inputs[1], x.Type, axis))];
    }

    /// <summary>An index of each sample, index_RK, repeated over all dimensions of x but the axis.</summary>
    internal static Value Wide(Value index, TensorType x, int axis)
    {
        Dim[] ones = [.. x.Dims.Select((d, i) => i == 0 ? d : i == axis ? index.Type[1] : new Dim(1))];
        return index.Reshape(ones).BroadcastTo(x.Dims.SetItem(axis, index.Type[1]).AsSpan());
    }
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs[0]);
        RequireIndex(inputs[1]);
        Require(inputs[1].Rank == 1 && !inputs[1].IsPerSample, $"an index is a list, not {inputs[1].Text}");
        var axis = AxisSpan.Check(this, attributes, inputs[0]);
        return [inputs[0].With(inputs[0].Dims.SetItem(axis, inputs[1][0]).AsSpan())];
    }

    private protected override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var index = call.In<int>(1);
        var y = call.Out<T>();
        var axis = call.Attributes.Int("axis");
        var (from, to) = (AxisSpan.Of(call.Inputs[0].Shape, axis), AxisSpan.Of(call.Outputs[0].Shape, axis));
        for (var o = 0; o < to.Outer; o++)
        {
            for (var k = 0; k < to.Size; k++)
            {
                x.Slice(from.At(o, Gather.Place(this, index[k], from.Size), 0), from.Inner).CopyTo(y[to.At(o, k, 0)..]);
            }
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var axis = g.Attributes.Int("axis");
        return [g.Dy.Apply(OpTable.IndexAdd, g.Attributes.With("size", g.X.Type[axis].Size), g.Inputs[1]), null];
    }
}
