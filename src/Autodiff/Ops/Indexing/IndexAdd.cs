using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., j, ..] = Σ x[.., k, ..] over the k with index[k] = j, on one axis of the given size; the adjoint of
// index-select dx = dy selected at the index
internal sealed class IndexAdd : IndexedOp
{
    public override string Name => "index-add";
    public override string Sharding => "!k a..., k -> t a...";
    internal override string Settings => "axis size";

    internal override Value[]? Batched(OpBatch b)
    {
        var axis = b.Attributes.Int("axis") + 1;
        if (!b.Carries(1)) return b.Apply(b.Attributes.With("axis", axis), [.. b.Inputs]);
        var x = b.Spread(0);
        var zero = b.Builder.Full(0, x.Type.With(x.Type.Dims.SetItem(axis, b.Attributes.Int("size")).AsSpan()));
        return [zero.ScatterAdd(axis, IndexSelect.Wide(b.Inputs[1], x.Type, axis), x)];
    }
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs[0]);
        RequireIndex(inputs[1]);
        var axis = AxisSpan.Check(this, attributes, inputs[0]);
        Require(
            inputs[1].Rank == 1 && inputs[1][0] == inputs[0][axis],
                $"an index {inputs[1].Text} does not belong to dimension {axis} of {inputs[0].Text}");
        Require(attributes.Int("size") >= 0, "the size of the axis is 0 or more");
        return [inputs[0].With(inputs[0].Dims.SetItem(axis, attributes.Int("size")).AsSpan())];
    }

    private protected override void Run<T>(OpCall call)
    {
        call.Out<T>().Clear();
        Give<T>(call, call.Inputs[0], call.In<int>(1), call.Outputs[0]);
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.IndexSelect(g.Attributes.Int("axis"), g.Inputs[1]), null];
}
