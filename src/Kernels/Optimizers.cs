using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <param name="Step">1 for the first step: the bias corrections are 1 - β^Step.</param>
/// <param name="GradientScale">Factor of the gradient: one over the global weight, times the clip factor.</param>
public readonly record struct AdamStep(
    double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, long Step,
    double GradientScale = 1);

/// <param name="Momentum">0: no momentum, and the momentum buffer may be empty.</param>
/// <param name="GradientScale">Factor of the gradient: one over the global weight, times the clip factor.</param>
public readonly record struct SgdStep(
    double LearningRate, double Momentum, double WeightDecay, double GradientScale = 1);

/// <summary>
/// Optimizers in one pass over flat vectors. Hyperparameters are computed in float64 and rounded once to T.
/// Elementwise, so any cut of the vectors gives the same bits.
/// </summary>
public static unsafe class Optimizers
{
    /// <summary>g' = g·scale + decay·w; m = momentum·m + g'; w -= rate·m (or rate·g' without momentum).</summary>
    public static void Sgd<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, in SgdStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Sizes.AtLeast(g.Length, w.Length);
        if (step.Momentum != 0) Sizes.AtLeast(m.Length, w.Length);
        if (typeof(T) == typeof(float))
        {
            fixed (float* pw = w.AsFloat(), pg = g.AsFloat(), pm = m.AsFloat())
                FloatOptimizers.Sgd(pw, pg, pm, w.Length, step);
            return;
        }

        OptimizerReference.Sgd(w, g, m, step);
    }

    /// <summary>
    /// g' = g·scale + decay·w; m = β1·m + (1-β1)·g'; v = β2·v + (1-β2)·g'²;
    /// w -= rate/(1-β1^t) · m / (√v/√(1-β2^t) + ε).
    /// </summary>
    public static void Adam<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, in AdamStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Adam(w, g, m, v, step, decoupled: false);
    }

    /// <summary>As Adam, but the decay is decoupled: w·(1 - rate·decay) first, and g' = g·scale.</summary>
    public static void AdamW<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, in AdamStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Adam(w, g, m, v, step, decoupled: true);
    }

    private static void Adam<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, in AdamStep step, bool decoupled)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(w.Length, g.Length, m.Length, v.Length);
        if (typeof(T) == typeof(float))
        {
            fixed (float* pw = w.AsFloat(), pg = g.AsFloat(), pm = m.AsFloat(), pv = v.AsFloat())
                FloatOptimizers.Adam(pw, pg, pm, pv, w.Length, new AdamConstants<float>(step, decoupled));
            return;
        }

        OptimizerReference.Adam(w, g, m, v, step, decoupled);
    }

    private static void CheckSizes(int w, int g, int m, int v)
    {
        Sizes.AtLeast(g, w);
        Sizes.AtLeast(m, w);
        Sizes.AtLeast(v, w);
    }
}
