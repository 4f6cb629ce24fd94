using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Ops;

/// <summary>What a gradient rule of a user sees.</summary>
/// <param name="Inputs">The operands.</param>
/// <param name="Output">The result.</param>
/// <param name="Gradient">The gradient of the result.</param>
public sealed record CustomGradient(IReadOnlyList<Value> Inputs, Value Output, Value Gradient)
{
    /// <summary>The constants of the application.</summary>
    public Attributes Attributes { get; init; } = Attributes.None;
}

/// <summary>
/// An operator of a user's own, for eager variables: forward on tensors, a shape rule, and a gradient, which is
/// either a rule written in operators or follows from a formula written in operators. Graphs carry operators of the
/// table only, because workers never load a user's code: in a graph one becomes its formula, and one without a formula
/// is refused.
/// </summary>
public sealed class CustomOperator
{
    private readonly UserOp _op;

    private CustomOperator(UserOp op)
    {
        _op = op;
    }

    /// <summary>Named in errors and on the operator stack.</summary>
    public string Name => _op.Name;

    /// <summary>Forward and gradient by hand. The gradient has one value, or null, per operand.</summary>
    public static CustomOperator Define(
        string name, Func<IReadOnlyList<TensorType>, TensorType> shape, Func<IReadOnlyList<Tensor>, Tensor> forward,
        Func<CustomGradient, IReadOnlyList<Value?>> gradient) => new(new UserOp(name, shape, forward, gradient, null));

    /// <summary>Forward by hand, derivatives of any order from the same function written in operators.</summary>
    public static CustomOperator Define(
        string name, Func<IReadOnlyList<TensorType>, TensorType> shape, Func<IReadOnlyList<Tensor>, Tensor> forward,
        Func<IReadOnlyList<Value>, Value> formula) => new(new UserOp(name, shape, forward, null, formula));

    /// <summary>Applies the operator.</summary>
    /// <exception cref="ShapeException">The shape rule refuses the operands, or the forward does not keep
    /// it.</exception>
    public Value Apply(params Value[] inputs)
    {
        if (inputs.Length == 0) throw new ShapeException($"{Name}: takes at least one operand");
        return inputs[0].Builder.Apply(_op, Attributes.None, inputs)[0];
    }

    /// <summary>
    /// Compares the gradient with finite differences at these operands (float64); one line per operand.
    /// </summary>
    public IReadOnlyList<GradCheckResult> Check(params Tensor[] inputs) =>
        GradCheck.Run(x => (Variable)Apply([.. x]), inputs);

    private sealed class UserOp(
        string name, Func<IReadOnlyList<TensorType>, TensorType> shape, Func<IReadOnlyList<Tensor>, Tensor> forward,
        Func<CustomGradient, IReadOnlyList<Value?>>? gradient, Func<IReadOnlyList<Value>, Value>? formula) : Op
    {
        public override string Name => name;
        public override string Sharding => "not at all";

        // A formula is written in operators, which have rules; a forward by hand knows one sample.
        internal override Value[]? Batched(OpBatch b) => formula is null ? null : [b.Written(formula)];

        internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs) =>
            [shape(inputs.ToArray())];

        internal override bool HasFallback => formula is not null;

        internal override Value[] Fallback(Value[] inputs) => [formula!(inputs)];

        internal override void Forward(OpCall call)
        {
            var y = forward(call.Inputs);
            var wanted = call.Outputs[0];
            if (y.DType != wanted.DType || y.Shape != wanted.Shape)
                throw Wrong($"its forward returned {y.Type}, its shape rule says {wanted.Type}");
            wanted.CopyFrom(y);
        }

        internal override Value?[] Backward(OpGradient g) => gradient is not null
            ? [.. gradient(new CustomGradient(g.Inputs, g.Y, g.Dy))]
            : LocalTape.Gradients(g, [.. Enumerable.Range(0, g.Inputs.Count)], formula!);
    }
}

/// <summary>Another gradient for an operator of the table, on this thread, until the scope is disposed.</summary>
public static class GradientOverride
{
    [ThreadStatic] private static Dictionary<Op, Scope?>? _rules;

    /// <summary>Every application of the operator whose gradient is taken inside the scope uses the rule.</summary>
    /// <exception cref="UnsupportedException">The operator has no gradient rule of its own: it is a formula of others,
    /// whose gradients can be overridden, or a leaf.</exception>
    public static IDisposable Use(Op op, Func<CustomGradient, IReadOnlyList<Value?>> rule)
    {
        if (op is CompositeOp or LeafOp)
        {
            throw new UnsupportedException(
                $"{op.Name}: has no gradient of its own to override, it is {(op is LeafOp ? "a leaf" : "a formula of other operators")}: override theirs, or define a CustomOperator with this forward and your gradient");
        }

        // First what is in use: it drops the table where the last rule was ended by another thread.
        var scope = new Scope(InUse(op), rule);
        (_rules ??= [])[op] = scope;
        return scope;
    }

    internal static Value?[]? Find(Op op, OpGradient g) => InUse(op) is not { } scope ? null
        : [.. scope.Rule(new CustomGradient(g.Inputs, g.Y, g.Dy) { Attributes = g.Attributes })];

    internal static bool IsUsedFor(Op op) => InUse(op) is not null;

    private static Scope? InUse(Op op)
    {
        if (_rules is null || !_rules.TryGetValue(op, out var top)) return null;
        var scope = ThreadScope.Innermost(ref top);
        if (scope is not null) _rules[op] = scope;
        else if (_rules.Remove(op) && _rules.Count == 0) _rules = null;
        return scope;
    }

    private sealed class Scope(Scope? outer, Func<CustomGradient, IReadOnlyList<Value?>> rule) : ThreadScope(outer)
    {
        public Func<CustomGradient, IReadOnlyList<Value?>> Rule { get; } = rule;
    }
}
