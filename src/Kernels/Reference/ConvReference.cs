using System.Numerics;
using Convoy.Kernels.Cpu;

namespace Convoy.Kernels.Reference;

internal static class ConvReference
{
    public static void Forward<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> bias, Span<T> y, in Conv2dShape s, Activation activation)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var at = 0;
        for (var n = 0; n < s.N; n++)
            for (var co = 0; co < s.COut; co++)
                for (var oh = 0; oh < s.OutH; oh++)
                    for (var ow = 0; ow < s.OutW; ow++)
                    {
                        var sum = Output(x, w, n, co, oh, ow, s);
                        if (!bias.IsEmpty) sum += bias[co];
                        y[at++] = Scalar<T>.Activate(sum, activation);
                    }
    }

    private static T Output<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, int n, int co, int oh, int ow, in Conv2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var blocks = new BlockSum<T>();
        var at = co * s.Terms;
        var firstChannel = co / s.COutGroup * s.CInGroup;
        for (var ci = 0; ci < s.CInGroup; ci++)
            for (var kh = 0; kh < s.Kh; kh++)
                for (var kw = 0; kw < s.Kw; kw++)
                    blocks.Add(w[at++], Input(x, n, firstChannel + ci, oh, ow, kh, kw, s));
        return blocks.Total;
    }

    // The input element under kernel place (kh, kw) of output pixel (oh, ow); zero in the padding.
    private static T Input<T>(ReadOnlySpan<T> x, int n, int c, int oh, int ow, int kh, int kw, in Conv2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var ih = (oh * s.Stride) + (kh * s.Dilation) - s.Padding;
        var iw = (ow * s.Stride) + (kw * s.Dilation) - s.Padding;
        return ih < 0 || ih >= s.H || iw < 0 || iw >= s.W ? T.Zero : x[(((((n * s.CIn) + c) * s.H) + ih) * s.W) + iw];
    }

    public static void GradInput<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> w, Span<T> dx, in Conv2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var at = 0;
        for (var n = 0; n < s.N; n++)
            for (var c = 0; c < s.CIn; c++)
                for (var ih = 0; ih < s.H; ih++)
                    for (var iw = 0; iw < s.W; iw++)
                        dx[at++] = InputGradient(dy, w, n, c, ih, iw, s);
    }

    internal static T InputGradient<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> w, int n, int c, int ih, int iw, in Conv2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var blocks = new BlockSum<T>();
        var (group, ci) = (c / s.CInGroup, c % s.CInGroup);
        for (var j = 0; j < s.COutGroup; j++)
            for (var kh = 0; kh < s.Kh; kh++)
                for (var kw = 0; kw < s.Kw; kw++)
                {
                    var co = (group * s.COutGroup) + j;
                    var weight = w[(((((co * s.CInGroup) + ci) * s.Kh) + kh) * s.Kw) + kw];
                    blocks.Add(weight, OutputGradient(dy, n, co, ih, iw, kh, kw, s));
                }

        return blocks.Total;
    }

    // dy at the output pixel that has (ih, iw) under kernel place (kh, kw); zero when there is none.
    private static T OutputGradient<T>(
        ReadOnlySpan<T> dy, int n, int co, int ih, int iw, int kh, int kw, in Conv2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (top, left) = (ih + s.Padding - (kh * s.Dilation), iw + s.Padding - (kw * s.Dilation));
        if (top < 0 || left < 0 || top % s.Stride != 0 || left % s.Stride != 0) return T.Zero;
        var (oh, ow) = (top / s.Stride, left / s.Stride);
        return oh >= s.OutH || ow >= s.OutW ? T.Zero : dy[(((((n * s.COut) + co) * s.OutH) + oh) * s.OutW) + ow];
    }

    public static void SegmentedGradWeight<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dw, int nodeStride, in Conv2dShape shape, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sum = new WeightSum<T>(x, dy, shape);
        SegmentedTree.Run(ref sum, shape.WeightSize, dw, nodeStride, s);
    }

    public static void SegmentedGradBias<T>(
        ReadOnlySpan<T> dy, Span<T> db, int nodeStride, in Conv2dShape shape, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sum = new BiasSum<T>(dy, shape);
        SegmentedTree.Run(ref sum, shape.COut, db, nodeStride, s);
    }

    private readonly ref struct WeightSum<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Conv2dShape s) : ISliceSum<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly ReadOnlySpan<T> _dy = dy;

        public void Sum(int firstRow, int endRow, Span<T> destination)
        {
            var at = 0;
            for (var co = 0; co < s.COut; co++)
                for (var ci = 0; ci < s.CInGroup; ci++)
                    for (var kh = 0; kh < s.Kh; kh++)
                        for (var kw = 0; kw < s.Kw; kw++)
                            destination[at++] = Weight(firstRow, endRow, co, ci, kh, kw);
        }

        private T Weight(int first, int end, int co, int ci, int kh, int kw)
        {
            var blocks = new BlockSum<T>();
            var channel = (co / s.COutGroup * s.CInGroup) + ci;
            for (var n = first; n < end; n++)
                for (var oh = 0; oh < s.OutH; oh++)
                    for (var ow = 0; ow < s.OutW; ow++)
                    {
                        var gradient = _dy[(((((n * s.COut) + co) * s.OutH) + oh) * s.OutW) + ow];
                        blocks.Add(Input(_x, n, channel, oh, ow, kh, kw, s), gradient);
                    }

            return blocks.Total;
        }
    }

    private readonly ref struct BiasSum<T>(ReadOnlySpan<T> dy, Conv2dShape s) : ISliceSum<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy;

        public void Sum(int firstRow, int endRow, Span<T> destination)
        {
            Span<T> lanes = stackalloc T[Order.Lanes];
            var plane = s.OutH * s.OutW;
            for (var co = 0; co < s.COut; co++)
            {
                var total = T.Zero;
                for (var n = firstRow; n < endRow; n++)
                {
                    var sum = new LaneSum<T>(lanes);
                    foreach (var value in _dy.Slice(((n * s.COut) + co) * plane, plane)) sum.Add(value);
                    total += sum.Total();
                }

                destination[co] = total;
            }
        }
    }
}
