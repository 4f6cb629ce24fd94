using System.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>Which of two numbers, neither NaN, takes the place.</summary>
internal interface IOrder
{
    static abstract bool Beats<T>(T value, T best) where T : unmanaged, IFloatingPointIeee754<T>;
}

internal readonly struct Larger : IOrder
{
    public static bool Beats<T>(T value, T best) where T : unmanaged, IFloatingPointIeee754<T> => value > best;
}

internal readonly struct Smaller : IOrder
{
    public static bool Beats<T>(T value, T best) where T : unmanaged, IFloatingPointIeee754<T> => value < best;
}

// y = the place of the extreme x on one axis, the first of equals; a NaN counts as the extreme        int32, without
// the axis; no gradient
internal abstract class ArgExtreme<TOrder> : FloatOp where TOrder : struct, IOrder
{
    public sealed override string Sharding => "!t a... -> a...";
    internal override string Settings => "axis";

    internal sealed override Value[]? Batched(OpBatch b) => b.Along("axis");

    internal sealed override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axis = AxisSpan.Check(this, attributes, inputs[0]);
        Require(inputs[0][axis] != 0, "nothing to choose from: the axis is empty");
        return [new TensorType(DType.Int32, inputs[0].Dims.RemoveAt(axis).AsSpan())];
    }

    private protected sealed override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var y = call.Out<int>();
        var s = AxisSpan.Of(call.Inputs[0].Shape, call.Attributes.Int("axis"));
        for (var o = 0; o < s.Outer; o++)
            for (var i = 0; i < s.Inner; i++) y[(o * s.Inner) + i] = Place(x, s, o, i);
    }

    private static int Place<T>(ReadOnlySpan<T> x, AxisSpan s, int outer, int inner)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (best, top) = (0, x[s.At(outer, 0, inner)]);
        for (var k = 1; k < s.Size && !T.IsNaN(top); k++)
        {
            var value = x[s.At(outer, k, inner)];
            if (T.IsNaN(value) || TOrder.Beats(value, top)) (best, top) = (k, value);
        }

        return best;
    }

    internal sealed override Value?[] Backward(OpGradient g) => [null];
}
