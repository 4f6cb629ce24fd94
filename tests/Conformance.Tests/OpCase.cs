using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>One application of an operator: from it the conformance tests make gradient, type, view, shape and graph checks.</summary>
internal sealed record OpCase(Op Op, Attributes Attributes, Tensor[] Inputs)
{
    /// <summary>What the first result must be, computed without the kernels; null where golden figures say it.</summary>
    public Func<double[]>? Reference { get; init; }

    /// <summary>
    /// The operator whose gradient this one is: its forward values are proven by the finite differences of that one.
    /// </summary>
    public Op? GradientOf { get; init; }

    /// <summary>Results that carry gradients.</summary>
    public int[] Differentiable { get; init; } = [0];

    /// <summary>Finite differences make sense: continuous around the inputs, all of them free.</summary>
    public bool IsSmooth { get; init; } = true;

    /// <summary>The gradient rule can be differentiated again.</summary>
    public bool HasSecondDerivative { get; init; } = true;

    /// <summary>Error of float32 that the formula has by nature.</summary>
    public double FloatTolerance { get; init; } = 2e-5;

    public string Name { get; init; } = $"{Op.Name} {Attributes} {string.Join(" ", Inputs.Select(i => i.Shape))}";

    public Variable Apply(Variable[] inputs)
    {
        var results = EagerBuilder.Instance.Apply(Op, Attributes, inputs);
        Value[] flat = [.. Differentiable.Select(i => results[i].Reshape((int)((Variable)results[i]).Data.Count))];
        return (Variable)(flat.Length == 1 ? flat[0] : Functions.Concat(0, flat));
    }

    public Tensor Run(params Tensor[] inputs)
    {
        using var scope = GradientMode.Off();
        return ((Variable)EagerBuilder.Instance.Apply(Op, Attributes, [.. inputs.Select(t => new Variable(t))])[0]).Data;
    }

    /// <summary>The case in float32.</summary>
    public OpCase InFloat32() => this with
    {
        Inputs = [.. Inputs.Select(t => t.DType == DType.Float64 ? t.Cast(DType.Float32) : t)],
        Attributes = Attributes.Has("dtype") ? Attributes.With("dtype", DType.Float32) : Attributes,
    };
}
