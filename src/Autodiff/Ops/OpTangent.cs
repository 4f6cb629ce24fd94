using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// What a rule of forward mode sees: the application, and the tangents of its inputs (null where none flows).
/// </summary>
internal sealed class OpTangent(
    Builder builder, Attributes attributes, IReadOnlyList<Value> inputs, IReadOnlyList<Value> outputs,
        Value?[] tangents)
{
    public Builder Builder { get; } = builder;
    public Attributes Attributes { get; } = attributes;
    public IReadOnlyList<Value> Inputs { get; } = inputs;
    public IReadOnlyList<Value> Outputs { get; } = outputs;

    public Value? Dx(int input) => tangents[input];

    /// <summary>
    /// The same application with the tangent in the place of the gradient: right where the Jacobian is symmetric.
    /// </summary>
    public OpGradient AsGradient() => new(Builder, Attributes, Inputs, Outputs, [tangents[0]], [true]);

    /// <summary>
    /// J·t from the rule for Jᵀ·u: that rule is linear in u, so its own gradient with respect to u, seeded with t,
    /// is J·t.
    /// </summary>
    public Value?[] Transpose(Op op)
    {
        var tape = new LocalTape(Builder);
        var u = new Value?[Outputs.Count];
        for (var i = 0; i < u.Length; i++)
            if (IsFloat(Outputs[i].Type)) u[i] = tape.Watch(Builder.Full(0, Outputs[i].Type));
        if (Array.TrueForAll(u, v => v is null)) return u;

        var needed = tangents.Select(t => t is not null).ToArray();
        var given = new OpGradient(tape, Attributes, Inputs, Outputs, u, needed);
        var gradients = GradientOverride.Find(op, given) ?? op.Backward(given);
        var seeds = new List<(Value, Value)>();
        for (var i = 0; i < gradients.Length; i++)
        {
            if (tangents[i] is not { } tangent || gradients[i] is not { } gradient) continue;
            gradient = ReverseMode.SumTo(gradient, Inputs[i].Type, op.Name);
            if (tape.Owns(gradient)) seeds.Add((gradient, tangent));
        }

        var reverse = new ReverseMode(Builder);
        reverse.Run(tape.Entries, seeds, [.. u.Where(v => v is not null).Select(v => v!)]);
        return [.. u.Select(v => v is null ? null : reverse.GradientOf(v) is { } found ? tape.Bare(found) : null)];
    }

    private static bool IsFloat(TensorType type) => type.DType is DType.Float32 or DType.Float64;
}
