using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// s += g²; w -= rate g / (√s + ε) (Duchi and others 2011)
internal sealed class AdagradRule(OptimizerSpec spec) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames => ["sum"];

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (rate, decay, scale) = (Of<T>(step.Rate), Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var epsilon = Of<T>(Spec.Epsilon);
        var sum = state[0].Span;
        for (var i = 0; i < weights.Length; i++)
        {
            var g = (gradient[i] * scale) + (decay * weights[i]);
            sum[i] += g * g;
            weights[i] -= rate * g / (T.Sqrt(sum[i]) + epsilon);
        }
    }
}
