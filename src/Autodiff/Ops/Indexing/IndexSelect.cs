using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., k, ..] = x[.., index[k], ..] on one axis        x, index (int32) of rank 1 -> y
// dx = dy added at the places of the index (index-add)
internal sealed class IndexSelect : IndexedOp
{
    public override string Name => "index-select";
    public override string Sharding => "!t a..., k -> k a...";
    internal override string Settings => "axis";

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

    private protected override void Run<T>(OpCall call) =>
        Take<T>(call, call.Inputs[0], call.In<int>(1), call.Outputs[0]);

    internal override Value?[] Backward(OpGradient g)
    {
        var axis = g.Attributes.Int("axis");
        return [g.Dy.Apply(OpTable.IndexAdd, g.Attributes.With("size", g.X.Type[axis].Size), g.Inputs[1]), null];
    }
}
