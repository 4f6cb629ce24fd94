using System.Numerics;
using Convoy.Kernels.Cpu;

namespace Convoy.Kernels.Reference;

internal static class SoftmaxReference
{
    public static void Forward<T>(ReadOnlySpan<T> x, int rows, int n, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        for (var r = 0; r < rows; r++)
        {
            var from = x.Slice(r * n, n);
            var to = y.Slice(r * n, n);
            var max = Max(from);
            var sum = new LaneSum<T>(lanes);
            for (var i = 0; i < n; i++)
            {
                to[i] = Scalar<T>.Exp(from[i] - max);
                sum.Add(to[i]);
            }

            var factor = T.One / sum.Total();
            for (var i = 0; i < n; i++) to[i] *= factor;
        }
    }

    public static void Backward<T>(ReadOnlySpan<T> y, ReadOnlySpan<T> dy, int rows, int n, Span<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        for (var r = 0; r < rows; r++)
        {
            var sum = new LaneSum<T>(lanes);
            for (var i = r * n; i < (r + 1) * n; i++) sum.AddProduct(y[i], dy[i]);
            var dot = sum.Total();
            for (var i = r * n; i < (r + 1) * n; i++) dx[i] = y[i] * (dy[i] - dot);
        }
    }

    public static void LogForward<T>(ReadOnlySpan<T> x, int rows, int n, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var r = 0; r < rows; r++)
        {
            var (max, logSum) = LogSum(x.Slice(r * n, n));
            for (var i = r * n; i < (r + 1) * n; i++) y[i] = x[i] - max - logSum;
        }
    }

    public static void LogBackward<T>(ReadOnlySpan<T> y, ReadOnlySpan<T> dy, int rows, int n, Span<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        for (var r = 0; r < rows; r++)
        {
            var sum = new LaneSum<T>(lanes);
            for (var i = r * n; i < (r + 1) * n; i++) sum.Add(dy[i]);
            var total = sum.Total();
            for (var i = r * n; i < (r + 1) * n; i++) dx[i] = dy[i] - (Scalar<T>.Exp(y[i]) * total);
        }
    }

    public static void CrossEntropy<T>(
        ReadOnlySpan<T> logits, int classes, ReadOnlySpan<int> targets, Span<T> loss, Span<T> logSum)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var r = 0; r < targets.Length; r++)
        {
            var row = logits.Slice(r * classes, classes);
            (var max, logSum[r]) = LogSum(row);
            loss[r] = (uint)targets[r] < (uint)classes ? logSum[r] - (row[targets[r]] - max) : T.Zero;
        }
    }

    public static void CrossEntropyBackward<T>(
        ReadOnlySpan<T> logits, int classes, ReadOnlySpan<int> targets, ReadOnlySpan<T> logSum,
        ReadOnlySpan<T> dLoss, Span<T> dLogits) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var r = 0; r < targets.Length; r++)
        {
            var from = logits.Slice(r * classes, classes);
            var to = dLogits.Slice(r * classes, classes);
            var target = targets[r];
            if ((uint)target >= (uint)classes)
            {
                to.Clear();
                continue;
            }

            var max = Max(from);
            for (var i = 0; i < classes; i++)
            {
                var p = Scalar<T>.Exp(from[i] - max - logSum[r]);
                to[i] = (i == target ? p - T.One : p) * dLoss[r];
            }
        }
    }

    /// <summary>The largest element, and ln Σ e^(x - max): apart, because beside a large element their sum would lose
    /// the logarithm.</summary>
    public static (T Max, T LogSum) LogSum<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        var sum = new LaneSum<T>(lanes);
        var max = Max(x);
        foreach (var value in x) sum.Add(Scalar<T>.Exp(value - max));
        return (max, Scalar<T>.Log(sum.Total()));
    }

    /// <summary>The largest element; comparisons with NaN are false, and a NaN shows in the sum anyway.</summary>
    public static T Max<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var max = T.NegativeInfinity;
        foreach (var value in x)
            if (value > max) max = value;
        return max;
    }
}
