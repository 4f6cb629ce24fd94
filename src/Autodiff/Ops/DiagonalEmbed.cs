using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., i, .., j, ..] = x[.., i, ..] where i = j, else 0: axis a becomes axes a and b
// dx = the diagonal of dy
internal sealed class DiagonalEmbed : FloatOp
{
    public override string Name => "diagonal-embed";
    internal override string Settings => "a b";
    public override string Sharding => "!i a... -> i i a...; lin(x)";

    internal override Value[]? Batched(OpBatch b) => b.Along("a", "b");
    internal override bool OnlyMoves => true;
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var (x, a, b) = (inputs[0], attributes.Int("a"), attributes.Int("b"));
        Require(a >= 0 && a < b && b <= x.Rank, $"there are no dimensions {a} < {b} of {x.Rank + 1}");
        Require(!x[a].PerSample, "the batch has no diagonal");
        var dims = x.Dims.ToList();
        dims.Insert(b, x[a]);
        return [x.With([.. dims])];
    }

    private protected override void Run<T>(OpCall call)
    {
        var (x, y) = (call.Inputs[0], call.Outputs[0]);
        var (a, b) = (call.Attributes.Int("a"), call.Attributes.Int("b"));
        var from = call.In<T>(0);
        var to = call.Out<T>();
        to.Clear();
        for (var i = 0; i < from.Length; i++)
        {
            var (rest, at) = (i, 0);
            for (var axis = x.Rank - 1; axis >= 0; axis--)
            {
                var index = rest % x.Shape[axis];
                rest /= x.Shape[axis];
                at += index * y.Strides[axis < b ? axis : axis + 1];
                if (axis == a) at += index * y.Strides[b];
            }

            to[at] = from[i];
        }
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(OpTable.Diagonal, g.Attributes)];
}
