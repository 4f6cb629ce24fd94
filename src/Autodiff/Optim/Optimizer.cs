using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim;

/// <summary>
/// An update rule over flat vectors in the layout of the weights. State vectors start as zeros, and the gaps of the
/// layout stay zero. Whole vectors are updated in one call, since some rules look at whole parameters.
/// </summary>
public abstract class Optimizer
{
    private readonly long _totalSteps;

    private protected Optimizer(OptimizerSpec spec, long totalSteps)
    {
        (Spec, _totalSteps) = (spec, totalSteps);
    }

    private protected OptimizerSpec Spec { get; }

    /// <summary>One name per state vector, in the order in which <see cref="Apply"/> takes them.</summary>
    public abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>The state vectors for weights of a layout, in the same order.</summary>
    public virtual IReadOnlyList<StateVector> States(ParameterLayout layout) =>
        [.. StateNames.Select(name => StateVector.Like(layout, name))];

    /// <summary>The rate of a step, counted from 0, by the schedule of the job.</summary>
    public double LearningRate(long step) => Schedule.RateAt(Spec.Schedule, Spec.Lr, step, _totalSteps);

    /// <summary>One step, in place: weights -= what the rule makes of the gradient. The gradient has the layout of
    /// the weights, state that of <see cref="States"/>.</summary>
    /// <param name="gradientScale">One over the global weight, times the clip factor.</param>
    public abstract void Apply(
        Span<float> weights, ReadOnlySpan<float> gradient, IReadOnlyList<Memory<float>> state, long step,
        double gradientScale);

    /// <summary>The optimizer of a job: a vectorized one where there is one, else the rule itself.</summary>
    public static Optimizer Create(
        OptimizerSpec spec, long totalSteps, IReadOnlyList<ParameterSpan>? parameters = null) => spec.Kind switch
        {
            "sgd" when !spec.Nesterov && spec.Dampening == 0 => new Sgd(spec, totalSteps),
            "adam" when !spec.Amsgrad => new Adam(spec, totalSteps, decoupled: false),
            "adamw" when !spec.Amsgrad => new Adam(spec, totalSteps, decoupled: true),
            _ => new RuleOptimizer(spec, totalSteps, UpdateRule.Create(spec), parameters),
        };
}

internal sealed class Sgd(OptimizerSpec spec, long totalSteps) : Optimizer(spec, totalSteps)
{
    public override IReadOnlyList<string> StateNames => Spec.Momentum == 0 ? [] : ["momentum"];

    public override void Apply(
        Span<float> weights, ReadOnlySpan<float> gradient, IReadOnlyList<Memory<float>> state, long step,
        double gradientScale)
    {
        var momentum = Spec.Momentum == 0 ? default : state[0].Span;
        var rule = new SgdStep(LearningRate(step), Spec.Momentum, Spec.WeightDecay, gradientScale);
        Optimizers.Sgd(weights, gradient, momentum, rule);
    }
}

internal sealed class Adam(OptimizerSpec spec, long totalSteps, bool decoupled) : Optimizer(spec, totalSteps)
{
    public override IReadOnlyList<string> StateNames { get; } = ["moment1", "moment2"];

    public override void Apply(
        Span<float> weights, ReadOnlySpan<float> gradient, IReadOnlyList<Memory<float>> state, long step,
        double gradientScale)
    {
        var rule = new AdamStep(
            LearningRate(step), Spec.Beta1, Spec.Beta2, Spec.Epsilon, Spec.WeightDecay, step, gradientScale);
        if (decoupled) Optimizers.AdamW(weights, gradient, state[0].Span, state[1].Span, rule);
        else Optimizers.Adam(weights, gradient, state[0].Span, state[1].Span, rule);
    }
}

/// <summary>Any rule in the type of a job's weights.</summary>
internal sealed class RuleOptimizer : Optimizer
{
    private readonly UpdateRule _rule;
    private readonly ParameterSpan[] _parameters;

    public RuleOptimizer(OptimizerSpec spec, long totalSteps, UpdateRule rule, IReadOnlyList<ParameterSpan>? parameters)
        : base(spec, totalSteps)
    {
        if (rule.NeedsParameters && parameters is null)
            throw new UserException(ExitCode.BadJob,
                $"optimizer.kind \"{spec.Kind}\" needs the places of the parameters");
        (_rule, _parameters) = (rule, [.. parameters ?? []]);
    }

    public override IReadOnlyList<string> StateNames => _rule.StateNames;

    public override IReadOnlyList<StateVector> States(ParameterLayout layout) => _rule.States(layout);

    public override void Apply(
        Span<float> weights, ReadOnlySpan<float> gradient, IReadOnlyList<Memory<float>> state, long step,
        double gradientScale) =>
        _rule.Apply(weights, gradient, state, new RuleStep(step, LearningRate(step), gradientScale), _parameters);
}
