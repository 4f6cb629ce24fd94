using Convoy.Shared.Numerics;
using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// Adam, with the adaptive step only once the variance of v can be trusted (Liu and others 2020)
internal sealed class RAdamRule(OptimizerSpec spec) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames => ["moment1", "moment2"];

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (decay, scale) = (Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var (beta1, beta2, epsilon) = (Of<T>(Spec.Beta1), Of<T>(Spec.Beta2), Of<T>(Spec.Epsilon));
        var first = state[0].Span;
        var second = state[1].Span;
        var correction1 = 1 - PortableMath.Pow(Spec.Beta1, step.Step);
        var correction2 = 1 - PortableMath.Pow(Spec.Beta2, step.Step);
        var longest = (2 / (1 - Spec.Beta2)) - 1;
        var length = longest - (2 * step.Step * PortableMath.Pow(Spec.Beta2, step.Step) / correction2);
        var adaptive = length > 5;
        var rectifier = adaptive
            ? Math.Sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) : 1;
        var size = Of<T>(step.Rate / correction1 * rectifier);
        var root = Of<T>(Math.Sqrt(correction2));
        for (var i = 0; i < weights.Length; i++)
        {
            var g = (gradient[i] * scale) + (decay * weights[i]);
            first[i] = (beta1 * first[i]) + ((T.One - beta1) * g);
            second[i] = (beta2 * second[i]) + ((T.One - beta2) * g * g);
            weights[i] -= adaptive ? size * first[i] * root / (T.Sqrt(second[i]) + epsilon) : size * first[i];
        }
    }
}
