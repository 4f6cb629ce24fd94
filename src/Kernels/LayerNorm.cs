using System.Numerics;
using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>
/// Layer normalisation over rows of n, contiguous: y = (x - mean)·rstd·gain + bias. Mean and variance (of the whole
/// row, not n - 1) are sums over 16 virtual lanes, blocks of more than 4,096 terms in float64;
/// rstd = 1 / √(variance + epsilon).
/// </summary>
public static unsafe class LayerNorm
{
    /// <summary>mean and rstd (one per row) are saved for the backward pass. n is the length of gain.</summary>
    public static void Forward<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> gain, ReadOnlySpan<T> bias, T epsilon, Span<T> y, Span<T> mean, Span<T> rstd)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = Sizes.Rows(x.Length, gain.Length);
        Sizes.AtLeast(bias.Length, gain.Length);
        Sizes.AtLeast(y.Length, x.Length);
        Sizes.AtLeast(mean.Length, rows);
        Sizes.AtLeast(rstd.Length, rows);
        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat(), pg = gain.AsFloat(), pb = bias.AsFloat(), py = y.AsFloat())
            fixed (float* pm = mean.AsFloat(), ps = rstd.AsFloat())
                FloatLayerNorm.Forward(px, rows, gain.Length, pg, pb, float.CreateTruncating(epsilon), py, pm, ps);
            return;
        }

        LayerNormReference.Forward(x, rows, gain, bias, epsilon, y, mean, rstd);
    }

    /// <summary>
    /// With h = (x - mean)·rstd and g = dy·gain: dx = rstd·(g - Σg/n - h·Σ(g·h)/n). dx may be dy.
    /// </summary>
    public static void GradInput<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> gain, ReadOnlySpan<T> mean, ReadOnlySpan<T> rstd,
        Span<T> dx) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = Sizes.Rows(x.Length, gain.Length);
        Sizes.AtLeast(dy.Length, x.Length);
        Sizes.AtLeast(dx.Length, x.Length);
        Sizes.AtLeast(mean.Length, rows);
        Sizes.AtLeast(rstd.Length, rows);
        if (typeof(T) == typeof(float))
        {
            fixed (float* pdy = dy.AsFloat(), px = x.AsFloat(), pg = gain.AsFloat(), pdx = dx.AsFloat())
            fixed (float* pm = mean.AsFloat(), ps = rstd.AsFloat())
                FloatLayerNorm.GradInput(pdy, px, rows, gain.Length, pg, pm, ps, pdx);
            return;
        }

        LayerNormReference.GradInput(dy, x, rows, gain, mean, rstd, dx);
    }

    /// <summary>
    /// Node i: dGain[i·gainStride ..] (n) = Σ over its rows of dy·h, dBias[i·biasStride ..] (n) = Σ of dy; rows in the
    /// order of <see cref="Segments"/>, the products with one rounding each.
    /// </summary>
    public static void SegmentedGradGainBias<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int n, ReadOnlySpan<T> mean, ReadOnlySpan<T> rstd, Span<T> dGain,
        int gainStride, Span<T> dBias, int biasStride, in Segments s) where T : unmanaged, IFloatingPointIeee754<T>
    {
        s.Check(s.Rows);
        Sizes.AtLeast(x.Length, (long)s.Rows * n);
        Sizes.AtLeast(dy.Length, (long)s.Rows * n);
        Sizes.AtLeast(mean.Length, s.Rows);
        Sizes.AtLeast(rstd.Length, s.Rows);
        SegmentedSum.Rows(dy, n, dBias, biasStride, s);
        if (typeof(T) == typeof(float))
        {
            fixed (float* pdy = dy.AsFloat(), px = x.AsFloat(), pm = mean.AsFloat(), ps = rstd.AsFloat())
                FloatRows.Segmented(new GainTerm(pdy, px, pm, ps, n), n, dGain.AsFloat(), gainStride, s);
            return;
        }

        LayerNormReference.SegmentedGradGain(dy, x, n, mean, rstd, dGain, gainStride, s);
    }
}
