using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>A package with a gradient rule of its own, as one operator on the tape.</summary>
internal sealed class PackagedOp(OperatorPackage package) : Op
{
    public override string Name => package.Name;
    public override string Sharding => "not at all";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs) =>
        package.Infer(inputs);

    internal override void Forward(OpCall call)
    {
        using var unrecorded = GradientMode.Off();
        Value[] operands = [.. call.Inputs.Select(t => new Variable(t))];
        var y = package.Run(EagerBuilder.Instance, package.Graph, operands);
        call.Outputs[0].CopyFrom(((Variable)y[0]).Data);
    }

    internal override Value?[] Backward(OpGradient g) =>
        [.. package.Run(g.Builder, package.GradientGraph!, [.. g.Inputs, g.Y, g.Dy])];
}
