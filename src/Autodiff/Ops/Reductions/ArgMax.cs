using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = the place of the largest x on one axis, the first of equals; a NaN counts as the largest        int32, without
// the axis
// no gradient
internal sealed class ArgMax : FloatOp
{
    public override string Name => "arg-max";
    public override string Sharding => "!t a... -> a...";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axis = AxisSpan.Check(this, attributes, inputs[0]);
        Require(inputs[0][axis].Size > 0, "nothing to choose from: the axis is empty");
        return [new TensorType(DType.Int32, inputs[0].Dims.RemoveAt(axis).AsSpan())];
    }

    private protected override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var y = call.Out<int>();
        var s = AxisSpan.Of(call.Inputs[0].Shape, call.Attributes.Int("axis"));
        for (var o = 0; o < s.Outer; o++)
        {
            for (var i = 0; i < s.Inner; i++)
            {
                var best = 0;
                for (var k = 1; k < s.Size; k++)
                {
                    var (value, top) = (x[s.At(o, k, i)], x[s.At(o, best, i)]);
                    if (value > top || (T.IsNaN(value) && !T.IsNaN(top))) best = k;
                }

                y[(o * s.Inner) + i] = best;
            }
        }
    }

    internal override Value?[] Backward(OpGradient g) => [null];
}
