using Convoy.Shared.Numerics;
using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// m = mean of g, u = max(β2 u, |g| + ε); w -= rate m̂ / u (Kingma and Ba 2015, section 7)
internal sealed class AdamaxRule(OptimizerSpec spec) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames => ["moment1", "largest"];

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (rate, decay, scale) = (Of<T>(step.Rate), Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var (beta1, beta2, epsilon) = (Of<T>(Spec.Beta1), Of<T>(Spec.Beta2), Of<T>(Spec.Epsilon));
        var first = state[0].Span;
        var largest = state[1].Span;
        rate /= Of<T>(1 - PortableMath.Pow(Spec.Beta1, step.Step));
        for (var i = 0; i < weights.Length; i++)
        {
            var g = (gradient[i] * scale) + (decay * weights[i]);
            first[i] = (beta1 * first[i]) + ((T.One - beta1) * g);
            largest[i] = T.Max(beta2 * largest[i], T.Abs(g) + epsilon);
            weights[i] -= rate * first[i] / largest[i];
        }
    }
}
