using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = with where ids = value, else ids        ids, y (int32) of one shape
// no gradient
internal sealed class Replace : Op
{
    public override string Name => "replace";
    public override string Sharding => "a... -> a...";
    internal override string Settings => "value with";

    internal override Value[]? Batched(OpBatch b) => b.Elementwise();

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireIndex(inputs[0]);
        return [inputs[0]];
    }

    internal override void Forward(OpCall call)
    {
        var ids = call.In<int>(0);
        var y = call.Out<int>();
        var (value, with) = (call.Attributes.Int("value"), call.Attributes.Int("with"));
        for (var i = 0; i < ids.Length; i++) y[i] = ids[i] == value ? with : ids[i];
    }

    internal override Value?[] Backward(OpGradient g) => [null];
}
