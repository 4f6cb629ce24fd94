using Convoy.Shared.Numerics;
using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// Adam with the momentum of Nesterov, whose share beta1 (1 - 0.96^(t momentum_decay) / 2) grows over time (Dozat 2016)
internal sealed class NAdamRule(OptimizerSpec spec) : UpdateRule(spec)
{
    // The product over all steps so far; of this step for its next parameter, from the one before when steps follow
    // each other, else from the first.
    private long _at;
    private double _product = 1;

    public override IReadOnlyList<string> StateNames => ["moment1", "moment2"];

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (decay, scale) = (Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var (beta1, beta2, epsilon) = (Of<T>(Spec.Beta1), Of<T>(Spec.Beta2), Of<T>(Spec.Epsilon));
        var first = state[0].Span;
        var second = state[1].Span;
        var correction2 = 1 - PortableMath.Pow(Spec.Beta2, step.Step);
        var (product, now, next) = Shares(step.Step);
        var direct = Of<T>(step.Rate * (1 - now) / (1 - product));
        // The figures we are checked against (PyTorch 1.13) count the share of this step twice here.
        var ahead = Of<T>(step.Rate * next / (1 - (product * now * next)));
        var root = Of<T>(correction2);
        for (var i = 0; i < weights.Length; i++)
        {
            var g = (gradient[i] * scale) + (decay * weights[i]);
            first[i] = (beta1 * first[i]) + ((T.One - beta1) * g);
            second[i] = (beta2 * second[i]) + ((T.One - beta2) * g * g);
            var denominator = T.Sqrt(second[i] / root) + epsilon;
            weights[i] -= (direct * g / denominator) + (ahead * first[i] / denominator);
        }
    }

    private (double Product, double Now, double Next) Shares(long step)
    {
        if (step < _at) (_at, _product) = (0, 1);
        while (_at < step) _product *= Share(++_at);
        return (_product, Share(step), Share(step + 1));
    }

    private double Share(long step) => Spec.Beta1 * (1 - (0.5 * PortableMath.Pow(0.96, step * Spec.MomentumDecay)));
}
