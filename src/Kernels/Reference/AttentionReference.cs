using System.Numerics;
using Convoy.Kernels.Cpu;

namespace Convoy.Kernels.Reference;

internal static class AttentionReference
{
    public static void Forward<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, Span<T> output, Span<T> logSumExp,
        in AttentionShape s) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var row = new T[s.Time];
        for (var b = 0; b < s.Batch; b++)
            for (var h = 0; h < s.Heads; h++)
                for (var i = 0; i < s.Time; i++)
                {
                    var visible = row.AsSpan(0, s.Keys(i));
                    Scores(q, k, b, h, i, visible, s);
                    ForwardRow(visible, v, b, h, i, output, logSumExp, s);
                }
    }

    private static int Place(int b, int t, int h, int stride, in AttentionShape s) =>
        (((b * s.Time) + t) * stride) + (h * s.HeadSize);

    private static void Scores<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, int b, int h, int i, Span<T> row, in AttentionShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var scale = T.CreateTruncating(s.Factor);
        for (var j = 0; j < row.Length; j++)
        {
            var (fromQ, fromK) = (Place(b, i, h, s.InputStride, s), Place(b, j, h, s.InputStride, s));
            row[j] = GemmReference.Contract(s.HeadSize, q, fromQ, 1, k, fromK, 1) * scale;
        }
    }

    private static void ForwardRow<T>(
        Span<T> row, ReadOnlySpan<T> v, int b, int h, int i, Span<T> output, Span<T> logSumExp, in AttentionShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        var sum = new LaneSum<T>(lanes);
        var max = SoftmaxReference.Max<T>(row);
        foreach (ref var value in row)
        {
            value = Scalar<T>.Exp(value - max);
            sum.Add(value);
        }

        var total = sum.Total();
        logSumExp[(((b * s.Heads) + h) * s.Time) + i] = max + Scalar<T>.Log(total);
        var factor = T.One / total;
        for (var e = 0; e < s.HeadSize; e++)
        {
            var from = Place(b, 0, h, s.InputStride, s) + e;
            var value = Contract<T>(0, row.Length, row, 0, 1, v, from, s.InputStride);
            output[Place(b, i, h, s.OutputStride, s) + e] = (value * factor) + T.Zero;
        }
    }

    public static void Backward<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> output, ReadOnlySpan<T> logSumExp,
        ReadOnlySpan<T> dOutput, Span<T> dq, Span<T> dk, Span<T> dv, in AttentionShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (p, ds) = (new T[s.Time * s.Time], new T[s.Time * s.Time]);
        for (var b = 0; b < s.Batch; b++)
            for (var h = 0; h < s.Heads; h++)
            {
                Array.Clear(p);
                Array.Clear(ds);
                for (var i = 0; i < s.Time; i++)
                {
                    var range = new Range(i * s.Time, (i * s.Time) + s.Keys(i));
                    Scores(q, k, b, h, i, p.AsSpan(range), s);
                    var lse = logSumExp[(((b * s.Heads) + h) * s.Time) + i];
                    foreach (ref var value in p.AsSpan(range)) value = Scalar<T>.Exp(value - lse);
                    ScoreGradients(v, output, dOutput, b, h, i, p.AsSpan(range), ds.AsSpan(range), s);
                }

                Products(q, k, dOutput, b, h, p, ds, dq, dk, dv, s);
            }
    }

    private static void ScoreGradients<T>(
        ReadOnlySpan<T> v, ReadOnlySpan<T> output, ReadOnlySpan<T> dOutput, int b, int h, int i, Span<T> p, Span<T> ds,
        in AttentionShape s) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        var scale = T.CreateTruncating(s.Factor);
        var at = Place(b, i, h, s.OutputStride, s);
        var sum = new LaneSum<T>(lanes);
        for (var e = 0; e < s.HeadSize; e++) sum.AddProduct(dOutput[at + e], output[at + e]);
        var delta = sum.Total();
        for (var j = 0; j < p.Length; j++)
        {
            var dp = GemmReference.Contract(s.HeadSize, dOutput, at, 1, v, Place(b, j, h, s.InputStride, s), 1);
            ds[j] = p[j] * (dp - delta) * scale;
        }
    }

    private static void Products<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> dOutput, int b, int h, T[] p, T[] ds, Span<T> dq,
        Span<T> dk, Span<T> dv, in AttentionShape s) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (input, output) = (Place(b, 0, h, s.InputStride, s), Place(b, 0, h, s.OutputStride, s));
        for (var t = 0; t < s.Time; t++)
            for (var e = 0; e < s.HeadSize; e++)
            {
                var at = Place(b, t, h, s.InputStride, s) + e;
                dq[at] = Contract<T>(0, s.Keys(t), ds, t * s.Time, 1, k, input + e, s.InputStride);
                dk[at] = Contract<T>(s.FirstQuery(t), s.Time, ds, t, s.Time, q, input + e, s.InputStride);
                dv[at] = Contract<T>(s.FirstQuery(t), s.Time, p, t, s.Time, dOutput, output + e, s.OutputStride);
            }
    }

    /// <summary>
    /// K-2 over the terms from first to end; masked ones before them keep their places in the blocks. Adding +0 at the
    /// end makes the sign of a zero independent of how many were visited.
    /// </summary>
    internal static T Contract<T>(
        int first, int end, ReadOnlySpan<T> a, int fromA, int stepA, ReadOnlySpan<T> b, int fromB, int stepB)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var blocks = new BlockSum<T>();
        for (var p = 0; p < first; p++) blocks.Add(T.Zero, T.Zero);
        for (var p = first; p < end; p++) blocks.Add(a[fromA + (p * stepA)], b[fromB + (p * stepB)]);
        return blocks.Total + T.Zero;
    }
}
