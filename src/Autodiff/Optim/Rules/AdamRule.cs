using Convoy.Shared.Numerics;
using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// m = mean of g, v = mean of g²; w -= rate m̂ / (√v̂ + ε) (Kingma and Ba 2015). Decoupled: the decay shrinks w apart
// from g (Loshchilov and Hutter 2019). AMSGrad: the largest v so far takes the place of v (Reddi and others 2018)
internal sealed class AdamRule(OptimizerSpec spec, bool decoupled) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames =>
        Spec.Amsgrad ? ["moment1", "moment2", "largest"] : ["moment1", "moment2"];

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
        var largest = Spec.Amsgrad ? state[2].Span : default;
        var (size, root) = (Of<T>(step.Rate / correction1), Of<T>(Math.Sqrt(correction2)));
        var keep = Of<T>(decoupled ? 1 - (step.Rate * Spec.WeightDecay) : 1);
        if (decoupled) decay = T.Zero;
        for (var i = 0; i < weights.Length; i++)
        {
            var g = (gradient[i] * scale) + (decay * weights[i]);
            first[i] = (beta1 * first[i]) + ((T.One - beta1) * g);
            second[i] = (beta2 * second[i]) + ((T.One - beta2) * g * g);
            var v = second[i];
            if (Spec.Amsgrad) v = largest[i] = T.Max(largest[i], v);
            weights[i] = (weights[i] * keep) - (size * first[i] / ((T.Sqrt(v) / root) + epsilon));
        }
    }
}
