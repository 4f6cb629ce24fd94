using System.Numerics;
using Convoy.Autodiff.Execution;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

/// <summary>One step: its number (from 1), its learning rate, and the factor of the gradient.</summary>
public readonly record struct RuleStep(long Step, double Rate, double GradientScale = 1);

/// <summary>
/// A parameter in the flat vectors: where it starts, its length, and its columns when it is a matrix, else 0.
/// </summary>
public readonly record struct ParameterSpan(int Start, int Length, int Columns = 0)
{
    /// <summary>A matrix is everything but its first dimension against that.</summary>
    public static ParameterSpan Of(ParameterSlot slot) => new(
        checked((int)slot.Offset), checked((int)slot.Length),
        slot.Shape.Rank < 2 || slot.Length == 0 ? 0 : checked((int)(slot.Length / slot.Shape[0])));
}

/// <summary>
/// An update rule in any floating-point type, over flat vectors with state vectors that start as zeros. Most are
/// element by element, so that vectors may be updated in any pieces; the others say so and need the parameters.
/// </summary>
public abstract class UpdateRule(OptimizerSpec spec)
{
    private protected OptimizerSpec Spec { get; } = spec;

    /// <summary>One name per state vector, in the order in which <see cref="Apply"/> takes them.</summary>
    public abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>The state vectors for weights of a layout, in the same order; each in the layout of the weights unless
    /// the rule remembers less.</summary>
    public virtual IReadOnlyList<StateVector> States(ParameterLayout layout) =>
        [.. StateNames.Select(name => StateVector.Like(layout, name))];

    /// <summary>Whether the parameters are looked at as wholes: norms, rows and columns.</summary>
    public virtual bool NeedsParameters => false;

    /// <summary>One step, in place.</summary>
    /// <param name="weights">Changed.</param>
    /// <param name="gradient">Of the same length.</param>
    /// <param name="state">As <see cref="StateNames"/> orders them, of the lengths of <see cref="States"/>; changed.</param>
    /// <param name="step">Number, rate, factor of the gradient.</param>
    /// <param name="parameters">Where they lie, for rules that need them.</param>
    public abstract void Apply<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters = default) where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>All kinds there are, by their names in job files.</summary>
    public static readonly IReadOnlyList<string> Kinds =
    [
        "sgd", "adam", "adamw", "radam", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lion", "lamb",
            "adafactor",
    ];

    /// <summary>The rule of a job, by its kind.</summary>
    /// <exception cref="UserException">The kind is none of <see cref="Kinds"/>.</exception>
    public static UpdateRule Create(OptimizerSpec spec) => spec.Kind switch
    {
        "sgd" => new SgdRule(spec),
        "adam" => new AdamRule(spec, decoupled: false),
        "adamw" => new AdamRule(spec, decoupled: true),
        "radam" => new RAdamRule(spec),
        "nadam" => new NAdamRule(spec),
        "adamax" => new AdamaxRule(spec),
        "rmsprop" => new RmsPropRule(spec),
        "adagrad" => new AdagradRule(spec),
        "adadelta" => new AdadeltaRule(spec),
        "lion" => new LionRule(spec),
        "lamb" => new LambRule(spec),
        "adafactor" => new AdafactorRule(spec),
        _ => throw new UserException(ExitCode.BadJob,
            $"optimizer.kind \"{spec.Kind}\" is not {string.Join(", ", Kinds)}"),
    };

    private protected static T Of<T>(double value) where T : unmanaged,
        IFloatingPointIeee754<T> => T.CreateTruncating(value);
}
