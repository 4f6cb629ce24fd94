using System.Buffers;
using Convoy.Kernels;

namespace Convoy.Autodiff.Optim;

/// <summary>
/// Norm over all parameters, in float64 by blocks and their tree; and the factor that brings it to a bound.
/// </summary>
public static class GlobalNorm
{
    /// <summary>√Σ g² over a flat vector: blocks of 4,096 in float64, added by their tree, the same bits for any
    /// number of threads.</summary>
    public static double Of(ReadOnlySpan<float> flatGradient)
    {
        var count = SquaredNorm.BlockCount(flatGradient.Length);
        var blocks = ArrayPool<double>.Shared.Rent(count);
        SquaredNorm.Blocks(flatGradient, blocks.AsSpan(0, count));
        var sum = SquaredNorm.Tree(blocks.AsSpan(0, count));
        ArrayPool<double>.Shared.Return(blocks);
        return Math.Sqrt(sum);
    }

    /// <summary>1 when the norm is within the bound or there is none (0), else bound / norm.</summary>
    public static double ClipFactor(double norm, double bound) => bound <= 0 || norm <= bound ? 1 : bound / norm;
}
