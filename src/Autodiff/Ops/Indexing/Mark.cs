using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = 1 where ids = value, else 0, as numbers        ids (int32), y of one shape
// no gradient
internal sealed class Mark : FloatOp
{
    public override string Name => "mark";
    public override string Sharding => "a... -> a...";
    internal override string Settings => "value dtype";

    internal override Value[]? Batched(OpBatch b) => b.Elementwise();

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireIndex(inputs[0]);
        var dtype = (DType)attributes.Int("dtype");
        Require(dtype is DType.Float32 or DType.Float64, "holds floating-point numbers");
        return [inputs[0].With(dtype)];
    }

    private protected override void Run<T>(OpCall call)
    {
        var ids = call.In<int>(0);
        var y = call.Out<T>();
        var value = call.Attributes.Int("value");
        for (var i = 0; i < ids.Length; i++) y[i] = ids[i] == value ? T.One : T.Zero;
    }

    internal override Value?[] Backward(OpGradient g) => [null];
}
