using System.Numerics;
using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>Softmax over rows of n, contiguous. Sums go over 16 virtual lanes (<see cref="Order.Lanes"/>).</summary>
public static unsafe class Softmax
{
    /// <summary>y = e^(x - max) · (1 / Σ e^(x - max)); y may be x.</summary>
    public static void Forward<T>(ReadOnlySpan<T> x, int n, Span<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Sizes.AtLeast(y.Length, x.Length);
        var rows = Sizes.Rows(x.Length, n);
        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat(), py = y.AsFloat()) FloatSoftmax.Forward(px, rows, n, py);
            return;
        }

        SoftmaxReference.Forward(x, rows, n, y);
    }

    /// <summary>dx = y · (dy - Σ y·dy), y the output of the forward pass; dx may be dy.</summary>
    public static void Backward<T>(ReadOnlySpan<T> y, ReadOnlySpan<T> dy, int n, Span<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Sizes.AtLeast(dy.Length, y.Length);
        Sizes.AtLeast(dx.Length, y.Length);
        var rows = Sizes.Rows(y.Length, n);
        if (typeof(T) == typeof(float))
        {
            fixed (float* py = y.AsFloat(), pdy = dy.AsFloat(), pdx = dx.AsFloat())
                FloatSoftmax.Backward(py, pdy, rows, n, pdx);
            return;
        }

        SoftmaxReference.Backward(y, dy, rows, n, dx);
    }
}

/// <summary>Logarithm of the softmax over rows of n, contiguous.</summary>
public static unsafe class LogSoftmax
{
    /// <summary>y = (x - max) - ln Σ e^(x - max); y may be x.</summary>
    public static void Forward<T>(ReadOnlySpan<T> x, int n, Span<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Sizes.AtLeast(y.Length, x.Length);
        var rows = Sizes.Rows(x.Length, n);
        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat(), py = y.AsFloat()) FloatSoftmax.LogForward(px, rows, n, py);
            return;
        }

        SoftmaxReference.LogForward(x, rows, n, y);
    }

    /// <summary>dx = dy - e^y · Σ dy, y the output of the forward pass; dx may be dy.</summary>
    public static void Backward<T>(ReadOnlySpan<T> y, ReadOnlySpan<T> dy, int n, Span<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Sizes.AtLeast(dy.Length, y.Length);
        Sizes.AtLeast(dx.Length, y.Length);
        var rows = Sizes.Rows(y.Length, n);
        if (typeof(T) == typeof(float))
        {
            fixed (float* py = y.AsFloat(), pdy = dy.AsFloat(), pdx = dx.AsFloat())
                FloatSoftmax.LogBackward(py, pdy, rows, n, pdx);
            return;
        }

        SoftmaxReference.LogBackward(y, dy, rows, n, dx);
    }
}

/// <summary>Softmax cross entropy with class numbers as targets; rows of logits are contiguous.</summary>
public static unsafe class CrossEntropy
{
    /// <summary>
    /// loss[r] = l[r] - (logits[r, target[r]] - max), l[r] = ln Σ e^(x - max), which the backward pass needs.
    /// A target outside of the classes (such as -1) gives loss 0.
    /// </summary>
    public static void Forward<T>(
        ReadOnlySpan<T> logits, int classes, ReadOnlySpan<int> targets, Span<T> loss, Span<T> logSum)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(logits.Length, classes, targets.Length, logSum.Length);
        Sizes.AtLeast(loss.Length, targets.Length);
        if (typeof(T) == typeof(float))
        {
            fixed (float* x = logits.AsFloat(), pl = loss.AsFloat(), l = logSum.AsFloat())
            fixed (int* t = targets) FloatSoftmax.CrossEntropy(x, targets.Length, classes, t, pl, l);
            return;
        }

        SoftmaxReference.CrossEntropy(logits, classes, targets, loss, logSum);
    }

    /// <summary>
    /// dLogits[r, i] = (e^(logits - max - l) - [i = target]) · dLoss[r]; zeros where the target is outside of the
    /// classes. dLogits may be logits.
    /// </summary>
    public static void Backward<T>(
        ReadOnlySpan<T> logits, int classes, ReadOnlySpan<int> targets, ReadOnlySpan<T> logSum,
        ReadOnlySpan<T> dLoss, Span<T> dLogits) where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(logits.Length, classes, targets.Length, logSum.Length);
        Sizes.AtLeast(dLoss.Length, targets.Length);
        Sizes.AtLeast(dLogits.Length, logits.Length);
        if (typeof(T) == typeof(float))
        {
            fixed (float* x = logits.AsFloat(), l = logSum.AsFloat(), dl = dLoss.AsFloat(), dx = dLogits.AsFloat())
            fixed (int* t = targets)
                FloatSoftmax.CrossEntropyBackward(x, targets.Length, classes, t, l, dl, dx);
            return;
        }

        SoftmaxReference.CrossEntropyBackward(logits, classes, targets, logSum, dLoss, dLogits);
    }

    private static void CheckSizes(int logits, int classes, int rows, int logSum)
    {
        Sizes.AtLeast(logits, (long)rows * classes);
        Sizes.AtLeast(logSum, rows);
    }
}
