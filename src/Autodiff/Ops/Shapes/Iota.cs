using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y[i] = i        -> y of size elements
// no inputs, no gradient
internal sealed class Iota : FloatOp
{
    public override string Name => "iota";
    public override string Sharding => "-> 'a";
    internal override string Settings => "size dtype";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 0);
        var dtype = (DType)attributes.Int("dtype");
        Require(dtype is DType.Float32 or DType.Float64, "holds floating-point numbers");
        return [new TensorType(dtype, attributes.Int("size"))];
    }

    private protected override void Run<T>(OpCall call)
    {
        var y = call.Out<T>();
        for (var i = 0; i < y.Length; i++) y[i] = T.CreateTruncating(i);
    }

    internal override Value?[] Backward(OpGradient g) => [];
}
