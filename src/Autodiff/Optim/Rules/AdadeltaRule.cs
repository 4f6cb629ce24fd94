using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// v = mean of g²; d = √(u + ε) / √(v + ε) g; u = mean of d²; w -= rate d (Zeiler 2012)
internal sealed class AdadeltaRule(OptimizerSpec spec) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames => ["square", "update"];

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (rate, decay, scale) = (Of<T>(step.Rate), Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var (smoothing, epsilon) = (Of<T>(Spec.Smoothing), Of<T>(Spec.Epsilon));
        var square = state[0].Span;
        var updates = state[1].Span;
        for (var i = 0; i < weights.Length; i++)
        {
            var g = (gradient[i] * scale) + (decay * weights[i]);
            square[i] = (smoothing * square[i]) + ((T.One - smoothing) * g * g);
            var update = T.Sqrt(updates[i] + epsilon) / T.Sqrt(square[i] + epsilon) * g;
            updates[i] = (smoothing * updates[i]) + ((T.One - smoothing) * update * update);
            weights[i] -= rate * update;
        }
    }
}
