using System.Globalization;
using System.Numerics;
using Convoy.Autodiff.Execution;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Optim.Rules;

/// <summary>One step: its number (from 1), its learning rate, and the factor of the gradient.</summary>
public readonly record struct RuleStep(long Step, double Rate, double GradientScale = 1);

/// <summary>
/// A parameter in the flat vectors: where it starts, its length, and its columns when it is a matrix, else 0.
/// </summary>
public readonly record struct ParameterSpan(int Start, int Length, int Columns = 0)
{
    /// <summary>A matrix is everything but its first dimension against that.</summary>
    public static ParameterSpan Of(ParameterSlot slot) =>
        Of(slot.Shape) with { Start = checked((int)slot.Offset) };

    /// <summary>A parameter by itself.</summary>
    internal static ParameterSpan Of(Shape shape) => new(0, checked((int)shape.Count),
        shape.Rank < 2 || shape.Count == 0 ? 0 : checked((int)(shape.Count / shape[0])));
}

/// <summary>
/// An update rule in any floating-point type, over flat vectors with state vectors that start as zeros. Most are
/// element by element, so that vectors may be updated in any pieces; the others say so and need the parameters.
/// </summary>
public abstract class UpdateRule(OptimizerSpec spec)
{
    private int _states = -1;

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
    /// <param name="state">As <see cref="StateNames"/> orders them, of the lengths of <see cref="States"/>;
    /// changed.</param>
    /// <param name="step">Number, rate, factor of the gradient.</param>
    /// <param name="parameters">Where they lie, for rules that need them.</param>
    /// <exception cref="ArgumentException">The lengths do not fit, the step is not counted from 1, or a rule that
    /// needs the parameters has none.</exception>
    public void Apply<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters = default) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (gradient.Length != weights.Length)
            throw Wrong($"{weights.Length} weights have no gradient of {gradient.Length} elements");
        if (_states < 0) _states = StateNames.Count;
        if (state.Count != _states)
            throw Wrong($"it keeps {_states} vectors ({string.Join(", ", StateNames)}), {state.Count} are given");
        for (var i = 0; i < _states && !KeepsLess; i++)
            if (state[i].Length != weights.Length)
                throw Wrong($"{StateNames[i]} has {state[i].Length} elements for {weights.Length} weights");
        if (step.Step < 1) throw Wrong($"steps count from 1, this is {step.Step}");
        if (NeedsParameters && parameters.IsEmpty && weights.Length > 0)
            throw Wrong("it looks at whole parameters: their places are missing");
        Update(weights, gradient, state, step, parameters);
    }

    /// <summary>Whether state vectors are shorter than the weights.</summary>
    private protected virtual bool KeepsLess => false;

    private protected abstract void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters) where T : unmanaged, IFloatingPointIeee754<T>;

    private ArgumentException Wrong(string rule) => new($"{Spec.Kind}: {rule}");

    /// <summary>
    /// All kinds there are, by their names in job files: sgd with momentum and Nesterov's (Sutskever and others 2013),
    /// adam and adamax (Kingma and Ba 2015), amsgrad (Reddi and others 2018), adamw (Loshchilov and Hutter 2019), radam
    /// (Liu and others 2020), nadam (Dozat 2016), rmsprop (Hinton 2012), adagrad (Duchi and others 2011), adadelta
    /// (Zeiler 2012), lion (Chen and others 2023), lamb (You and others 2020), adafactor (Shazeer and Stern 2018). The
    /// formulas stand at the head of each rule's file.
    /// </summary>
    public static readonly IReadOnlyList<string> Kinds =
    [
        "sgd", "adam", "adamw", "radam", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lion", "lamb",
            "adafactor",
    ];

    /// <summary>The rule of a job, by its kind.</summary>
    /// <exception cref="UserException">The kind is none of <see cref="Kinds"/>, or a setting has no meaning
    /// (<see cref="Check"/>).</exception>
    public static UpdateRule Create(OptimizerSpec spec)
    {
        Check(spec);
        return Of(spec);
    }

    /// <summary>Refuses settings that no rule has a meaning for: the job reader's ranges, for who writes C#.</summary>
    /// <exception cref="UserException">Names the setting, its value and its range.</exception>
    public static void Check(OptimizerSpec spec)
    {
        static void Require(bool holds, string key, double value, string range)
        {
            if (!holds) throw new UserException(ExitCode.BadJob,
                string.Create(CultureInfo.InvariantCulture, $"optimizer.{key} is {range}, not {value}"));
        }

        static bool Share(double v) => v is >= 0 and < 1;
        static bool Size(double v) => v >= 0 && double.IsFinite(v);
        Require(Size(spec.Lr), "lr", spec.Lr, "0 or more");
        Require(Size(spec.WeightDecay), "weight_decay", spec.WeightDecay, "0 or more");
        Require(Size(spec.Momentum), "momentum", spec.Momentum, "0 or more");
        Require(Share(spec.Beta1), "beta1", spec.Beta1, "0 to below 1");
        Require(Share(spec.Beta2), "beta2", spec.Beta2, "0 to below 1");
        Require(Size(spec.Epsilon), "epsilon", spec.Epsilon, "0 or more");
        Require(Share(spec.Smoothing), "smoothing", spec.Smoothing, "0 to below 1");
        Require(Size(spec.MomentumDecay), "momentum_decay", spec.MomentumDecay, "0 or more");
        Require(spec.UpdateClip > 0, "update_clip", spec.UpdateClip, "above 0");
        if (spec.Nesterov && (spec.Momentum == 0 || spec.Dampening != 0))
            throw new UserException(ExitCode.BadJob, "optimizer.nesterov takes a momentum above 0 and no dampening");
    }

    private static UpdateRule Of(OptimizerSpec spec) => spec.Kind switch
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
