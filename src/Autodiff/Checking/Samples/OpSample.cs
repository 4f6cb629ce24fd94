using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

/// <summary>
/// One application of an operator: from it the matrix and the conformance tests make all their checks.
/// </summary>
internal sealed record OpSample(Op Op, Attributes Attributes, Tensor[] Inputs)
{
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

    /// <summary>Operands of unlike shapes are repeated to the shape of the result.</summary>
    public bool Broadcasts { get; init; }

    /// <summary>Some dimension is 0: what is checked is that it runs, forward and backward.</summary>
    public bool IsEmpty => Inputs.Any(t => t.Count == 0);

    /// <summary>Error of float32 that the formula has by nature.</summary>
    public double FloatTolerance { get; init; } = 2e-5;

    /// <summary>What the attributes are in float32, where they say element types in a way of their own.</summary>
    public Attributes? NarrowAttributes { get; init; }

    public string Name { get; init; } = $"{Op.Name} {Attributes} {string.Join(" ", Inputs.Select(i => i.Shape))}";

    public Variable Apply(Variable[] inputs)
    {
        var results = EagerBuilder.Instance.Apply(Op, Attributes, inputs);
        Value[] flat = [.. Differentiable.Select(i => results[i].Reshape((int)((Variable)results[i]).Data.Count))];
        return (Variable)(flat.Length == 1 ? flat[0] : Functions.Concat(0, flat));
    }

    public Tensor Run(params Tensor[] inputs) => RunAll(inputs)[0];

    public Tensor[] RunAll(params Tensor[] inputs)
    {
        using var scope = GradientMode.Off();
        var results = EagerBuilder.Instance.Apply(Op, Attributes, [.. inputs.Select(t => new Variable(t))]);
        return [.. results.Select(v => ((Variable)v).Data)];
    }

    /// <summary>The case in float32.</summary>
    public OpSample InFloat32() => this with
    {
        Inputs = [.. Inputs.Select(t => t.DType == DType.Float64 ? t.Cast(DType.Float32) : t)],
        Attributes = NarrowAttributes ?? (Attributes.Has("dtype") ? Attributes.With("dtype", DType.Float32) : Attributes),
    };
}
