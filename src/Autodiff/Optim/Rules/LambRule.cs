using Convoy.Shared.Numerics;
using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// r = m̂ / (√v̂ + ε) + decay w; w -= rate |w| / |r| r, norms over each parameter (You and others 2020)
internal sealed class LambRule(OptimizerSpec spec) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames => ["moment1", "moment2"];

    public override bool NeedsParameters => true;

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (rate, decay, scale) = (Of<T>(step.Rate), Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var (beta1, beta2, epsilon) = (Of<T>(Spec.Beta1), Of<T>(Spec.Beta2), Of<T>(Spec.Epsilon));
        var first = state[0].Span;
        var second = state[1].Span;
        var correction1 = 1 - PortableMath.Pow(Spec.Beta1, step.Step);
        var correction2 = 1 - PortableMath.Pow(Spec.Beta2, step.Step);
        var (bias1, bias2) = (Of<T>(correction1), Of<T>(correction2));
        foreach (var p in parameters)
        {
            var (weightNorm, updateNorm) = (0.0, 0.0);
            for (var i = p.Start; i < p.Start + p.Length; i++)
            {
                var g = gradient[i] * scale;
                first[i] = (beta1 * first[i]) + ((T.One - beta1) * g);
                second[i] = (beta2 * second[i]) + ((T.One - beta2) * g * g);
                var (w, r) =
                    (double.CreateTruncating(weights[i]), double.CreateTruncating(Update(i, first, second, weights)));
                (weightNorm, updateNorm) = (weightNorm + (w * w), updateNorm + (r * r));
            }

            var trust = weightNorm > 0 && updateNorm > 0 ? Math.Sqrt(weightNorm / updateNorm) : 1;
            var size = rate * Of<T>(trust);
            for (var i = p.Start; i < p.Start + p.Length; i++) weights[i] -= size * Update(i, first, second, weights);
        }

        T Update(int i, Span<T> m, Span<T> v, Span<T> w) =>
            (m[i] / bias1 / (T.Sqrt(v[i] / bias2) + epsilon)) + (decay * w[i]);
    }
}
