using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// g = gradient + decay w; m = momentum m + (1 - dampening) g, in the first step g; w -= rate m, or
// rate (g + momentum m) with Nesterov (Sutskever and others 2013; dampening as torch.optim.SGD defines it)
internal sealed class SgdRule(OptimizerSpec spec) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames => Spec.Momentum == 0 ? [] : ["momentum"];

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (rate, decay, scale) = (Of<T>(step.Rate), Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var momentum = Of<T>(Spec.Momentum);
        var share = Of<T>(step.Step == 1 ? 1 : 1 - Spec.Dampening);
        var m = Spec.Momentum == 0 ? default : state[0].Span;
        for (var i = 0; i < weights.Length; i++)
        {
            var g = (gradient[i] * scale) + (decay * weights[i]);
            if (Spec.Momentum != 0)
            {
                m[i] = (momentum * m[i]) + (share * g);
                g = Spec.Nesterov ? g + (momentum * m[i]) : m[i];
            }

            weights[i] -= rate * g;
        }
    }
}
