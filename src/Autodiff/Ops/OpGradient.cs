using System.Collections.Immutable;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// What a gradient rule sees: the application, and the gradients of its results (null where none flows).
/// </summary>
internal sealed class OpGradient(
    Builder builder, Attributes attributes, IReadOnlyList<Value> inputs, IReadOnlyList<Value> outputs,
    Value?[] outputGradients, IReadOnlyList<bool> needed)
{
    public Builder Builder { get; } = builder;
    public Attributes Attributes { get; } = attributes;
    public IReadOnlyList<Value> Inputs { get; } = inputs;
    public IReadOnlyList<Value> Outputs { get; } = outputs;

    public Value X => Inputs[0];
    public Value Y => Outputs[0];
    public Value Dy => outputGradients[0] ?? throw new InvalidOperationException("no gradient flows into output 0");

    public Value? DyOf(int output) => outputGradients[output];

    /// <summary>Whether anyone asks for the gradient of an input; a rule may skip the work when not.</summary>
    public bool Needs(int input) => needed[input];
}
