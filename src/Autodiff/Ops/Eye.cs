using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y[i, j] = 1 where i = j, else 0        -> y of size x size
// no inputs, no gradient
internal sealed class Eye : FloatOp
{
    public override string Name => "eye";
    public override string Sharding => "-> 'a 'b";
    internal override string Settings => "size dtype";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 0);
        var dtype = (DType)attributes.Int("dtype");
        Require(dtype is DType.Float32 or DType.Float64, "holds floating-point numbers");
        return [new TensorType(dtype, attributes.Int("size"), attributes.Int("size"))];
    }

    private protected override void Run<T>(OpCall call)
    {
        var y = call.Out<T>();
        var size = call.Attributes.Int("size");
        y.Clear();
        for (var i = 0; i < size; i++) y[(i * size) + i] = T.One;
    }

    internal override Value?[] Backward(OpGradient g) => [];
}
