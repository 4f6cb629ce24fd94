using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x under another shape        x of a shape, y of dims, as many elements for every number of rows
// dx = dy under the shape of x
internal sealed class Reshape : Op
{
    public override string Name => "reshape";
    internal override string Settings => "dims";
    public override string Sharding => "a b -> (a b); (a b) -> a b; lin(x)";

    internal override Value[]? Batched(OpBatch b) =>
        b.Apply(Attributes.Of("dims", (Dim[])[b.Rows, .. b.Attributes.Dims("dims")]), b.Spread(0));
    internal override bool IsAlias => true;
    internal override bool OnlyMoves => true;
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        var y = inputs[0].With(attributes.Dims("dims").AsSpan());
        if (y.HasElementsOf(inputs[0])) return [y];
        throw Wrong($"{inputs[0].Text} and {y.Text} have not the same number of elements"
            + (y.HasNames || inputs[0].HasNames ? " for all sizes" : $": {inputs[0].Coefficient} and {y.Coefficient}"));
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        default;

    internal override void Forward(OpCall call) => StridedCopy.Run(
        new Tensor(
            call.Inputs[0].Storage, call.Inputs[0].DType, call.Outputs[0].Shape,
            Tensor.ContiguousStrides(call.Outputs[0].Shape), call.Inputs[0].Offset),
        call.Outputs[0]);

    internal override Value?[] Backward(OpGradient g) => [g.Dy.ReshapeLike(g.X.Type.Dims)];
}
