using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>A gradient that cannot be taken: its history is gone, or was written over.</summary>
public sealed class GradientException(string message) : ConvoyException(ErrorCode.Gradient, message);

/// <summary>What holds after a backward call that threw. In both levels no gradient was changed.</summary>
public enum ExceptionSafety
{
    /// <summary>The history may be gone: it is released while backward runs, which keeps the memory low.</summary>
    Basic,
    /// <summary>The history is whole, and the call can be made again.</summary>
    Strong,
}

/// <summary>
/// A tensor with a history: operators on variables run at once and are recorded, so control flow of the program may
/// depend on values (define by run). <see cref="Backward"/> adds gradients to the variables that ask for them.
/// </summary>
public sealed class Variable : Value
{
    private readonly TensorType _type;
    private readonly Tensor _data;

    /// <summary>A variable without a history, over the tensor itself: no copy.</summary>
    /// <param name="data">Its numbers.</param>
    /// <param name="requiresGradient">Whether backward calls leave a gradient here: float32 and float64 only, else a
    /// <see cref="ShapeException"/>.</param>
    public Variable(Tensor data, bool requiresGradient = false)
    {
        if (requiresGradient && data.DType is not (DType.Float32 or DType.Float64))
            throw new ShapeException($"{data.DType} has no gradient");
        (_data, RequiresGradient, _type) = (data, requiresGradient, data.Type);
    }

    /// <summary>The numbers. Writing into them after they were recorded is found by a backward call that reads
    /// them.</summary>
    /// <exception cref="GradientException">A gradient rule reads a saved value that was written over.</exception>
    public Tensor Data => _damage is null ? _data : throw new GradientException(_damage);
    /// <summary>Whether backward calls leave a gradient here. Results of operators pass gradients on and keep
    /// none.</summary>
    public bool RequiresGradient { get; private init; }
    /// <summary>
    /// Sum of the gradients of all backward calls since it was cleared, outside environments; what is put here is
    /// added to. Whether it fits the variable is for <c>GradientValidator</c> to say.
    /// </summary>
    public Tensor? Gradient { get; set; }
    /// <inheritdoc/>
    public override TensorType Type => _type;
    internal override Builder Builder => EagerBuilder.Instance;
    internal override object Identity => Origin;

    /// <summary>The variable that a copy on the tape stands for; else this one.</summary>
    internal Variable Origin => _origin ?? this;

    private Variable? _origin;
    private string? _damage;
    internal TapeEntry? Producer { get; private init; }

    /// <summary>Forgets <see cref="Gradient"/>; the next backward call begins a new sum.</summary>
    public void ClearGradient() => Gradient = null;

    private List<Func<Variable, Variable>>? _hooks;

    internal bool HasHooks => Origin._hooks is not null;

    internal Variable OwnedCopy() => _origin is not null ? this
        : new Variable(Data.Copy()) { RequiresGradient = RequiresGradient, Producer = Producer, _origin = this };

    /// <summary>What a gradient rule gets in place of a saved value that was written over: its type and identity, and
    /// the error where it is read.</summary>
    internal Variable Damaged(string error) => new(_data)
    {
        RequiresGradient = RequiresGradient, Producer = Producer, _origin = Origin, _damage = error,
    };

    internal Variable Snapshot() => _origin is not null ? this
        : new Variable(Data.Snapshot())
        { RequiresGradient = RequiresGradient, Producer = Producer, _origin = this };

    /// <summary>
    /// Called with the gradient of this variable when all of it has arrived, before it goes on; what it returns goes
    /// on in its place. Hooks run in the order in which they were added.
    /// </summary>
    /// <exception cref="ArgumentNullException">There is no hook.</exception>
    public void OnGradient(Func<Variable, Variable> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        (_hooks ??= []).Add(hook);
    }

    internal Value Hooked(Value gradient)
    {
        // A gradient under a transform is not a variable; what a hook means for it is not said, so it passes.
        if (gradient is not Variable seen) return gradient;
        foreach (var hook in Origin._hooks!)
        {
            seen = hook(seen) ?? throw new ShapeException(
                $"a hook returned nothing for a gradient of {_type}: one that only looks returns what it got");
            if (!seen.Type.Equals(_type)) throw new ShapeException(
                $"a hook returned {seen.Type} for a gradient of {_type}");
        }

        return seen;
    }

    /// <summary>The same numbers without history.</summary>
    public Variable Detach() => new(Data);

    /// <summary>
    /// Adds d this / d v to the gradient of every variable v that it was computed from and that asks for gradients,
    /// then releases the history (unless it is retained for another call).
    /// </summary>
    /// <param name="seed">Gradient of this variable; 1 when it is a scalar.</param>
    /// <param name="retain">Keeps the history for another call.</param>
    /// <param name="safety">What still holds when a rule or a hook throws.</param>
    /// <exception cref="GradientException">Nothing that this was computed from asks for gradients, or its history was
    /// released, or written over.</exception>
    /// <exception cref="ShapeException">There is no seed and this is not one number, or the seed does not
    /// fit.</exception>
    public void Backward(
        Tensor? seed = null, bool retain = false, ExceptionSafety safety = ExceptionSafety.Basic)
    {
        if (seed is null && Data.Count != 1)
            throw new ShapeException($"backward of {Type.Text} needs a seed: only a scalar has one of its own");
        if (!RequiresGradient) throw new GradientException(
            $"backward of {Type}: it was computed from nothing that asks for gradients (requiresGradient: true), or in a "
            + "scope without recording");
        var history = History.Of([this]);
        // A leaf is its own result: an operator that had nothing to do may return its operand.
        IReadOnlyList<Variable> leaves = RequiresGradient && Producer is null ? [Origin] : history.Leaves();
        var gradients = Differentiate.Run(
            history, [this], leaves, seed is null ? null : [new Variable(seed)], createGraph: false,
            release: !retain && safety == ExceptionSafety.Basic);
        var store = VariableEnvironment.Store;
        var sums = new Tensor?[leaves.Count];
        for (var i = 0; i < leaves.Count; i++)
        {
            if (gradients[i] is not { } gradient) continue;
            // A copy: the gradient may be the seed itself, or shared with another variable.
            // It outlives a scope of buffers that the step may run in.
            sums[i] = BufferScope.Keep(
                store.Of(leaves[i]) is { } before ? AddUp(before, gradient.Data) : gradient.Data.Copy());
        }

        // Nothing below can fail: either every leaf has its new gradient or none has.
        for (var i = 0; i < leaves.Count; i++)
            if (sums[i] is { } sum) store.Put(leaves[i], sum);
        if (!retain && safety == ExceptionSafety.Strong) history.ReleaseAll();
    }

    /// <summary>
    /// <see cref="Backward"/> with the strong guarantee, and a diagnosis in place of an exception; null when it went
    /// well.
    /// </summary>
    public FailureVerdict? TryBackward(Tensor? seed = null, bool retain = false)
    {
        try
        {
            Backward(seed, retain, ExceptionSafety.Strong);
            return null;
        }
        catch (Exception failure)
        {
            // The no-throw level: whatever it was is the caller's to look at, in the verdict.
            return FailureClass.Of(failure);
        }
    }

    internal static Variable Result(Tensor data, TapeEntry? producer) =>
        new(data) { RequiresGradient = IsFloat(data) && producer is not null, Producer = producer };

    private static bool IsFloat(Tensor data) => data.DType is DType.Float32 or DType.Float64;

    private static Tensor AddUp(Tensor a, Tensor b)
    {
        using var scope = GradientMode.Off();
        return ((Variable)new Variable(a).Add(new Variable(b))).Data;
    }
}

/// <summary>Whether operators are recorded, per thread.</summary>
public static class GradientMode
{
    [ThreadStatic] private static Scope? _top;

    /// <summary>Whether this thread records what it computes.</summary>
    public static bool IsOn => _top is null || ThreadScope.Innermost(ref _top) is not { Records: false };

    /// <summary>
    /// Nothing is recorded on this thread until the scope is disposed, on whichever thread that happens.
    /// </summary>
    public static IDisposable Off() => _top = new Scope(ThreadScope.Innermost(ref _top), records: false);

    /// <summary>
    /// This thread records inside scopes of <see cref="Off"/> too, until the scope is disposed: for a function that
    /// differentiates on its own, wherever it is called.
    /// </summary>
    public static IDisposable On() => _top = new Scope(ThreadScope.Innermost(ref _top), records: true);

    private sealed class Scope(Scope? outer, bool records) : ThreadScope(outer)
    {
        public bool Records { get; } = records;
    }
}
