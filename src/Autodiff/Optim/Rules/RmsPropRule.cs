using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// v = mean of g² (less the square of the mean where centered); m = momentum m + g / (√v + ε); w -= rate m (Hinton 2012)
internal sealed class RmsPropRule(OptimizerSpec spec) : UpdateRule(spec)
{
    public override IReadOnlyList<string> StateNames => Names();

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var (rate, decay, scale) = (Of<T>(step.Rate), Of<T>(Spec.WeightDecay), Of<T>(step.GradientScale));
        var (smoothing, epsilon, momentum) = (Of<T>(Spec.Smoothing), Of<T>(Spec.Epsilon), Of<T>(Spec.Momentum));
        var square = state[0].Span;
        var mean = Spec.Centered ? state[1].Span : default;
        var m = Spec.Momentum == 0 ? default : state[^1].Span;
        for (var i = 0; i < weights.Length; i++)
        {
            var g = (gradient[i] * scale) + (decay * weights[i]);
            square[i] = (smoothing * square[i]) + ((T.One - smoothing) * g * g);
            var v = square[i];
            if (Spec.Centered)
            {
                mean[i] = (smoothing * mean[i]) + ((T.One - smoothing) * g);
                v -= mean[i] * mean[i];
            }

            // Rounding may leave a little less than nothing of a variance.
            var update = g / (T.Sqrt(T.Max(v, T.Zero)) + epsilon);
            if (Spec.Momentum != 0) m[i] = update = (momentum * m[i]) + update;
            weights[i] -= rate * update;
        }
    }

    private string[] Names()
    {
        var names = new List<string> { "square" };
        if (Spec.Centered) names.Add("mean");
        if (Spec.Momentum != 0) names.Add("momentum");
        return [.. names];
    }
}
