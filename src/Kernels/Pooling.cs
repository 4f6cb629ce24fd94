using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>2-d pooling, NCHW, in the layouts of <see cref="Pool2dShape"/>.</summary>
public static unsafe class Pooling
{
    /// <summary>
    /// y = largest element of the window; indices (one per output) = its place h·W + w in the plane. The first of equal
    /// elements wins; NaN wins over numbers. Padding never wins.
    /// </summary>
    public static void MaxForward<T>(ReadOnlySpan<T> x, Span<T> y, Span<int> indices, in Pool2dShape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(x.Length, y.Length, shape);
        Sizes.AtLeast(indices.Length, shape.OutputSize);
        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat(), py = y.AsFloat())
            fixed (int* pi = indices)
            {
                if (FloatPooling.Fits(shape)) FloatPooling.MaxForward(px, py, pi, shape);
                else FloatWindows.MaxForward(px, py, pi, shape);
            }

            return;
        }

        PoolingReference.MaxForward(x, y, indices, shape);
    }

    /// <summary>dx = dy added at the saved places, outputs in ascending order; zero elsewhere.</summary>
    public static void MaxBackward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, Span<T> dx, in Pool2dShape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(dx.Length, dy.Length, shape);
        Sizes.AtLeast(indices.Length, shape.OutputSize);
        if (typeof(T) == typeof(float))
        {
            // Places come from outside of the kernel; the loop below checks each against its plane.
            fixed (float* pdy = dy.AsFloat(), pdx = dx.AsFloat())
            fixed (int* pi = indices) FloatWindows.MaxBackward(pdy, pi, pdx, shape);
            return;
        }

        PoolingReference.MaxBackward(dy, indices, dx, shape);
    }

    /// <summary>y = mean of the window, row-major sum divided by Kh·Kw; padding counts as zeros.</summary>
    public static void AvgForward<T>(ReadOnlySpan<T> x, Span<T> y, in Pool2dShape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(x.Length, y.Length, shape);
        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat(), py = y.AsFloat()) FloatWindows.AvgForward(px, py, shape);
            return;
        }

        PoolingReference.AvgForward(x, y, shape);
    }

    public static void AvgBackward<T>(ReadOnlySpan<T> dy, Span<T> dx, in Pool2dShape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(dx.Length, dy.Length, shape);
        if (typeof(T) == typeof(float))
        {
            fixed (float* pdy = dy.AsFloat(), pdx = dx.AsFloat()) FloatWindows.AvgBackward(pdy, pdx, shape);
            return;
        }

        PoolingReference.AvgBackward(dy, dx, shape);
    }

    private static void CheckSizes(int x, int y, in Pool2dShape shape)
    {
        shape.Check();
        Sizes.AtLeast(x, shape.InputSize);
        Sizes.AtLeast(y, shape.OutputSize);
    }
}
