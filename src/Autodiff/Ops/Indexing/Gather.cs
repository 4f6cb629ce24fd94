using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., k, ..] = x[.., index[.., k, ..], ..] on one axis        x, index (int32) of x's shape but for the axis -> y
// of index's shape dx = dy added at the places of the index
internal sealed class Gather : FloatOp
{
    public override string Name => "gather";
    public override string Sharding => "!t a..., k a... -> k a...";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs[0]);
        RequireIndex(inputs[1]);
        CheckIndex(this, attributes, inputs[0], inputs[1]);
        return [inputs[0].With(inputs[1].Dims.AsSpan())];
    }

    /// <summary>An index has the dimensions of what it points into, but for the axis.</summary>
    public static void CheckIndex(Op op, Attributes attributes, TensorType x, TensorType index)
    {
        var axis = AxisSpan.Check(op, attributes, x);
        var fits = index.Rank == x.Rank;
        for (var i = 0; fits && i < x.Rank; i++) fits = i == axis ? !index[i].PerSample : index[i] == x[i];
        if (!fits)
            throw new ShapeException(
                $"{op.Name}: an index {index.Text} does not fit {x.Text}: only dimension {axis} may differ");
    }

    private protected override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var index = call.In<int>(1);
        var y = call.Out<T>();
        var axis = call.Attributes.Int("axis");
        var (from, to) = (AxisSpan.Of(call.Inputs[0].Shape, axis), AxisSpan.Of(call.Outputs[0].Shape, axis));
        for (var o = 0; o < to.Outer; o++)
        {
            for (var k = 0; k < to.Size; k++)
            {
                for (var i = 0; i < to.Inner; i++)
                {
                    var at = to.At(o, k, i);
                    y[at] = x[from.At(o, Place(this, index[at], from.Size), i)];
                }
            }
        }
    }

    public static int Place(Op op, int index, int size) => (uint)index < (uint)size ? index
        : throw new ShapeException($"{op.Name}: index {index} is outside a dimension of {size} elements");

    internal override Value?[] Backward(OpGradient g) =>
        [g.Builder.Full(0, g.X.Type).ScatterAdd(g.Attributes.Int("axis"), g.Inputs[1], g.Dy), null];
}
