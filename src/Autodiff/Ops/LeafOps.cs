using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// Where values come from: the caller (input), the weights (parameter), or a constant of the graph (full).

internal abstract class LeafOp : Op
{
    public override string Sharding => "-> a...";
    internal override string Settings => "dims dtype";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 0);
        var dtype = (DType)attributes.Int("dtype");
        Require(
            dtype is DType.Float32 or DType.Float64 or DType.Int32,
            $"graphs carry float32, float64 and int32, not {ElementTypes.Find(t => t.Type == dtype)?.Name ?? $"the unknown element type {(int)dtype}"}");
        Require(attributes.Has("dims"), "the attribute dims is missing");
        return [new TensorType(dtype, attributes.Dims("dims").AsSpan())];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        default;

    internal override void Forward(OpCall call) => throw Wrong("has no computation: its value is bound by the caller");

    internal override Value?[] Backward(OpGradient g) => [];
}

// x = what the caller binds under its name        -> x
// no inputs, no gradient; a gradient with respect to it is what is asked for
internal sealed class Input : LeafOp
{
    public override string Name => "input";
}

// w = the weights of its name        -> w
// no inputs, no gradient; a training graph has an output for the gradient of each
internal sealed class Parameter : LeafOp
{
    public override string Name => "parameter";
    internal override string Settings => "dims dtype init value momentum elements";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        var types = base.Infer(attributes, inputs);
        Require(!types[0].IsPerSample, "a parameter does not follow the batch");
        Require(types[0].DType != DType.Int32, "a parameter is a floating-point number");
        Require(Graphs.ParameterInit.IsKnown(attributes.Text("init")), "the first values are of an unknown kind");
        return types;
    }
}
