using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>An operator along one axis (attribute axis, not the batch) that keeps the shape.</summary>
internal abstract class AlongAxis : FloatOp
{
    internal override string Settings => "axis";

    internal sealed override Value[]? Batched(OpBatch b) => b.Along("axis");

    internal sealed override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        AxisSpan.Check(this, attributes, inputs[0]);
        return [inputs[0]];
    }
}
