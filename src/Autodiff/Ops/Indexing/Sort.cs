using System.Buffers;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x in ascending order on one axis (descending where set), equal elements in their order, NaN as the largest; and
// the places they come from        x -> y, places (int32), all of one shape        dx = dy added at the places
internal sealed class Sort : FloatOp
{
    public override string Name => "sort";
    public override string Sharding => "!t a... -> t a..., t a...";
    internal override string Settings => "axis descending";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        AxisSpan.Check(this, attributes, inputs[0]);
        return [inputs[0], inputs[0].With(DType.Int32)];
    }

    private protected override void Run<T>(OpCall call)
    {
        var s = AxisSpan.Of(call.Inputs[0].Shape, call.Attributes.Int("axis"));
        Order(call.In<T>(0), s, call.Attributes.Flag("descending"), s.Size, call.Out<T>(), call.Out<int>(1));
    }

    /// <summary>The first <paramref name="count"/> of each line in order.</summary>
    public static void Order<T>(ReadOnlySpan<T> x, AxisSpan s, bool descending, int count, Span<T> y, Span<int> places)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var keys = ArrayPool<T>.Shared.Rent(Math.Max(s.Size, 1));
        var from = ArrayPool<int>.Shared.Rent(Math.Max(s.Size, 1));
        var to = s with { Size = count };
        for (var o = 0; o < s.Outer; o++)
        {
            for (var i = 0; i < s.Inner; i++)
            {
                for (var k = 0; k < s.Size; k++) (keys[k], from[k]) = (x[s.At(o, k, i)], k);
                var line = keys;
                from.AsSpan(0, s.Size).Sort((a, b) => Compare(line[a], line[b], a, b, descending));
                for (var k = 0; k < count; k++) (y[to.At(o, k, i)], places[to.At(o, k, i)]) = (keys[from[k]], from[k]);
            }
        }

        ArrayPool<T>.Shared.Return(keys);
        ArrayPool<int>.Shared.Return(from);
    }

    private static int Compare<T>(T a, T b, int placeA, int placeB, bool descending)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var (nanA, nanB) = (T.IsNaN(a), T.IsNaN(b));
        if (nanA != nanB) return nanA != descending ? 1 : -1;
        if (a == b || nanA) return placeA.CompareTo(placeB);
        return a < b != descending ? -1 : 1;
    }

    internal override Value?[] Backward(OpGradient g) => g.DyOf(0) is not { } dy ? [null]
        : [g.Builder.Full(0, g.X.Type).ScatterAdd(g.Attributes.Int("axis"), g.Outputs[1], dy)];
}
