using Convoy.Shared.Numerics;
using System.Numerics;

namespace Convoy.Kernels.Reference;

/// <summary>The constants of one Adam step, in the type of the weights.</summary>
internal readonly struct AdamConstants<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public AdamConstants(in AdamStep s, bool decoupled)
    {
        var correction1 = 1 - PortableMath.Pow(s.Beta1, s.Step);
        var correction2 = 1 - PortableMath.Pow(s.Beta2, s.Step);
        Rate = T.CreateTruncating(s.LearningRate / correction1);
        RootFactor = T.CreateTruncating(1 / Math.Sqrt(correction2));
        Beta1 = T.CreateTruncating(s.Beta1);
        OneMinusBeta1 = T.CreateTruncating(1 - s.Beta1);
        Beta2 = T.CreateTruncating(s.Beta2);
        OneMinusBeta2 = T.CreateTruncating(1 - s.Beta2);
        Epsilon = T.CreateTruncating(s.Epsilon);
        Scale = T.CreateTruncating(s.GradientScale);
        Keep = T.CreateTruncating(decoupled ? 1 - (s.LearningRate * s.WeightDecay) : 1);
        Decay = T.CreateTruncating(decoupled ? 0 : s.WeightDecay);
    }

    public readonly T Rate;
    public readonly T RootFactor;
    public readonly T Beta1;
    public readonly T OneMinusBeta1;
    public readonly T Beta2;
    public readonly T OneMinusBeta2;
    public readonly T Epsilon;
    public readonly T Scale;
    public readonly T Keep;
    public readonly T Decay;
}

internal static class OptimizerReference
{
    public static void Sgd<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, in SgdStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (rate, momentum) = (T.CreateTruncating(step.LearningRate), T.CreateTruncating(step.Momentum));
        var (decay, scale) = (T.CreateTruncating(step.WeightDecay), T.CreateTruncating(step.GradientScale));
        for (var i = 0; i < w.Length; i++)
        {
            var update = T.FusedMultiplyAdd(decay, w[i], g[i] * scale);
            if (step.Momentum != 0) m[i] = update = T.FusedMultiplyAdd(momentum, m[i], update);
            w[i] = T.FusedMultiplyAdd(-rate, update, w[i]);
        }
    }

    public static void Adam<T>(
        Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, in AdamStep step, bool decoupled)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var c = new AdamConstants<T>(step, decoupled);
        for (var i = 0; i < w.Length; i++)
        {
            var gradient = T.FusedMultiplyAdd(c.Decay, w[i], g[i] * c.Scale);
            m[i] = T.FusedMultiplyAdd(c.Beta1, m[i], c.OneMinusBeta1 * gradient);
            v[i] = T.FusedMultiplyAdd(c.Beta2, v[i], c.OneMinusBeta2 * gradient * gradient);
            var root = T.FusedMultiplyAdd(T.Sqrt(v[i]), c.RootFactor, c.Epsilon);
            w[i] = T.FusedMultiplyAdd(-c.Rate, m[i] / root, w[i] * c.Keep);
        }
    }
}
