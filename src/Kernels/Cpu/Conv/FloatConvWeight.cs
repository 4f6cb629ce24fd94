using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu.Conv;

/// <summary>Weight and bias gradients of a convolution, cut at slices.</summary>
internal static unsafe class FloatConvWeight
{
    public static void Weight(float* x, float* dy, Span<float> dw, int nodeStride, in Conv2dShape shape, in Segments s)
    {
        if (SimdInfo.Lanes == 16) Weight<Lane16>(x, dy, dw, nodeStride, shape, s);
        else if (SimdInfo.Lanes == 8) Weight<Lane8>(x, dy, dw, nodeStride, shape, s);
        else if (SimdInfo.Lanes == 4) Weight<Lane4>(x, dy, dw, nodeStride, shape, s);
        else Weight<Lane1>(x, dy, dw, nodeStride, shape, s);
    }

    public static void Bias(float* dy, Span<float> db, int nodeStride, in Conv2dShape shape, in Segments s)
    {
        if (SimdInfo.Lanes == 16) Bias<Lane16>(dy, db, nodeStride, shape, s);
        else if (SimdInfo.Lanes == 8) Bias<Lane8>(dy, db, nodeStride, shape, s);
        else if (SimdInfo.Lanes == 4) Bias<Lane4>(dy, db, nodeStride, shape, s);
        else Bias<Lane1>(dy, db, nodeStride, shape, s);
    }

    internal static void Weight<V>(
        float* x, float* dy, Span<float> dw, int nodeStride, in Conv2dShape shape, in Segments s)
        where V : unmanaged, ILanes<V>
    {
        var sum = new PatchSum<V>(x, dy, shape);
        SegmentedTree.Run(ref sum, shape.WeightSize, dw, nodeStride, s);
    }

    internal static void Bias<V>(float* dy, Span<float> db, int nodeStride, in Conv2dShape shape, in Segments s)
        where V : unmanaged, ILanes<V>
    {
        var sum = new PlaneSum<V>(dy, shape.COut, shape.OutH * shape.OutW);
        SegmentedTree.Run(ref sum, shape.COut, db, nodeStride, s);
    }

    private readonly struct PlaneSum<V>(float* dy, int channels, int plane) : ISliceSum<float>
        where V : unmanaged, ILanes<V>
    {
        public void Sum(int firstRow, int endRow, Span<float> destination)
        {
            for (var c = 0; c < channels; c++)
            {
                var total = 0f;
                for (var n = firstRow; n < endRow; n++)
                    total += LaneSums.Run<V, SumTerm>(new SumTerm(dy + ((((nint)n * channels) + c) * plane)), plane);
                destination[c] = total;
            }
        }
    }
}
