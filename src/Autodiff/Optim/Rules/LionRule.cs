using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// u = sign(β1 m + (1 - β1) g); w -= rate (u + decay w); m = β2 m + (1 - β2) g (Chen and others 2023)
internal sealed class LionRule(OptimizerSpec spec) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames => ["moment1"];

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (rate, decay, scale) = (Of<T>(step.Rate), Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var (beta1, beta2) = (Of<T>(Spec.Beta1), Of<T>(Spec.Beta2));
        var first = state[0].Span;
        for (var i = 0; i < weights.Length; i++)
        {
            var g = gradient[i] * scale;
            var mixed = (beta1 * first[i]) + ((T.One - beta1) * g);
            var direction = T.IsZero(mixed) ? T.Zero : T.CopySign(T.One, mixed);
            weights[i] -= rate * (direction + (decay * weights[i]));
            first[i] = (beta2 * first[i]) + ((T.One - beta2) * g);
        }
    }
}
