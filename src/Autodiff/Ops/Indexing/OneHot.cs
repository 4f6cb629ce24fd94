using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., c] = 1 where ids[..] = c, else 0        ids (int32) of any shape -> y with a last dimension of classes elements
// no gradient
internal sealed class OneHot : FloatOp
{
    public override string Name => "one-hot";
    public override string Sharding => "a... -> a... c";
    internal override string Settings => "classes dtype";

    internal override Value[]? Batched(OpBatch b) => b.Leading();

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireIndex(inputs[0]);
        var dtype = (DType)attributes.Int("dtype");
        Require(dtype is DType.Float32 or DType.Float64, "holds floating-point numbers");
        Require(attributes.Int("classes") > 0, "there is at least one class");
        return [new TensorType(dtype, inputs[0].Dims.Add(attributes.Int("classes")).AsSpan())];
    }

    private protected override void Run<T>(OpCall call)
    {
        var ids = call.In<int>(0);
        var y = call.Out<T>();
        var classes = call.Attributes.Int("classes");
        y.Clear();
        for (var i = 0; i < ids.Length; i++) y[(i * classes) + IndexedOp.Place(this, ids[i], classes)] = T.One;
    }

    internal override Value?[] Backward(OpGradient g) => [null];
}
