using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Conv;
using Convoy.Kernels.Operators;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>
/// 2-d convolution (cross-correlation), NCHW; layouts are in <see cref="Conv2dShape"/>. Every sum is a contraction
/// in the order of K-2 over channel, kernel row, kernel column ascending, where a place outside the image is a zero
/// term. Inside of <see cref="Accelerator.Enter"/> an accelerator computes all but bias gradients, with the same bits.
/// </summary>
public static unsafe class Conv2d
{
    /// <summary>y = x * w (+ bias[cOut]), then the activation.</summary>
    public static void Forward<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> bias, Span<T> y, in Conv2dShape shape,
        Activation activation = Activation.None) where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(x.Length, w.Length, y.Length, shape);
        if (!bias.IsEmpty) Sizes.AtLeast(bias.Length, shape.COut);
        if (Accelerator.Current is { } there)
        {
            there.Forward(x, w, bias, y, shape);
            Activate(y[..(shape.N * shape.OutputSize)], activation);
            return;
        }

        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat(), pw = w.AsFloat(), pb = bias.AsFloat(), py = y.AsFloat())
                FloatConv.Forward(px, pw, pb, py, shape, activation);
            return;
        }

        ConvReference.Forward(x, w, bias, y, shape, activation);
    }

    /// <summary>dx: for each input element the sum over output channel, kernel row and column of dy·w.</summary>
    public static void GradInput<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> w, Span<T> dx, in Conv2dShape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(dx.Length, w.Length, dy.Length, shape);
        if (Accelerator.Current is { } there)
        {
            there.GradInput(dy, w, dx, shape);
            return;
        }

        if (typeof(T) == typeof(float))
        {
            fixed (float* pdy = dy.AsFloat(), pw = w.AsFloat(), pdx = dx.AsFloat())
                FloatConvInput.Run(pdy, pw, pdx, shape);
            return;
        }

        ConvReference.GradInput(dy, w, dx, shape);
    }

    /// <summary>
    /// Node i: dw[i·nodeStride ..] (COut x CIn/Groups x Kh x Kw) = Σ over samples and output pixels of the node of
    /// dy·x. RowStarts of <paramref name="s"/> count SAMPLES; the terms are (sample, pixel) in row-major order.
    /// </summary>
    public static void SegmentedGradWeight<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dw, int nodeStride, in Conv2dShape shape, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        s.Check(shape.N);
        CheckSizes(x.Length, shape.WeightSize, dy.Length, shape);
        CheckNodes(dw.Length, shape.WeightSize, nodeStride, s);
        if (Accelerator.Current is { } there)
        {
            there.GradWeight(x, dy, dw, nodeStride, shape, s);
            return;
        }

        if (typeof(T) == typeof(float))
        {
            fixed (float* px = x.AsFloat(), pdy = dy.AsFloat())
                FloatConvWeight.Weight(px, pdy, dw.AsFloat(), nodeStride, shape, s);
            return;
        }

        ConvReference.SegmentedGradWeight(x, dy, dw, nodeStride, shape, s);
    }

    /// <summary>
    /// Node i: db[i·nodeStride ..] (COut) = Σ over samples and output pixels of dy. RowStarts count SAMPLES. A sample's
    /// plane is summed over 16 virtual lanes; samples of a slice add in ascending order, slices by the tree.
    /// </summary>
    public static void SegmentedGradBias<T>(
        ReadOnlySpan<T> dy, Span<T> db, int nodeStride, in Conv2dShape shape, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        s.Check(shape.N);
        CheckSizes(shape.N * shape.InputSize, shape.WeightSize, dy.Length, shape);
        CheckNodes(db.Length, shape.COut, nodeStride, s);
        if (typeof(T) == typeof(float))
        {
            fixed (float* pdy = dy.AsFloat()) FloatConvWeight.Bias(pdy, db.AsFloat(), nodeStride, shape, s);
            return;
        }

        ConvReference.SegmentedGradBias(dy, db, nodeStride, shape, s);
    }

    private static void Activate<T>(Span<T> y, Activation activation) where T : unmanaged, IFloatingPointIeee754<T>
    {
        switch (activation)
        {
            case Activation.None: return;
            case Activation.Relu: Elementwise.Unary<T, Relu>(y, y); return;
            case Activation.Gelu: Elementwise.Unary<T, Gelu>(y, y); return;
            case Activation.Tanh: Elementwise.Unary<T, Tanh>(y, y); return;
            case Activation.Sigmoid: Elementwise.Unary<T, Sigmoid>(y, y); return;
            default: throw Shared.Invariant.Unhandled(activation);
        }
    }

    private static void CheckNodes(int length, int size, int nodeStride, in Segments s)
    {
        if (s.Nodes.Length > 0) Sizes.AtLeast(length, ((long)(s.Nodes.Length - 1) * nodeStride) + size);
    }

    private static void CheckSizes(int x, int w, int y, in Conv2dShape shape)
    {
        shape.Check();
        Sizes.AtLeast(x, (long)shape.N * shape.InputSize);
        Sizes.AtLeast(w, shape.WeightSize);
        Sizes.AtLeast(y, (long)shape.N * shape.OutputSize);
    }
}
