using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

internal static class ProductRuns
{
    private static readonly (int M, int N, int K)[] ModelShapes =
    [
        (128, 512, 784), (128, 512, 512), (128, 10, 512), (1024, 384, 128), (1024, 128, 512), (1024, 65, 128),
    ];

    public static void Gemm()
    {
        foreach (var n in (int[])[64, 128, 256, 512, 1024])
            foreach (var (ta, tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
                One(ta, tb, n, n, n);
        foreach (var (m, n, k) in ModelShapes)
        {
            One(false, false, m, n, k);
            One(false, true, m, k, n);
        }
    }

    private static void One(bool ta, bool tb, int m, int n, int k)
    {
        var (a, b, c) = (Measure.Numbers(m * k), Measure.Numbers(k * n, 2), new float[m * n]);
        var seconds = Measure.Seconds(() =>
            Convoy.Kernels.Gemm.Run<float>(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, c, n));
        Measure.Report($"gemm{(ta ? 'T' : 'N')}{(tb ? 'T' : 'N')}", $"{m}x{n}x{k}", seconds, 2.0 * m * n * k);
    }

    public static void Segmented()
    {
        foreach (var rowsPerSlice in (int[])[8, 16, 32, 64, 128, 512])
            SegmentedOne(1024, 1024, 8, rowsPerSlice);
        SegmentedOne(784, 512, 8, 16);
        SegmentedOne(512, 10, 8, 16);
        SegmentedOne(128, 384, 8, 128);
        SegmentedOne(512, 128, 8, 128);
    }

    private static void SegmentedOne(int m, int n, int slices, int rowsPerSlice)
    {
        var rows = slices * rowsPerSlice;
        var (a, b, c) = (Measure.Numbers(rows * m), Measure.Numbers(rows * n, 2), new float[m * n]);
        var starts = new int[slices + 1];
        for (var i = 0; i <= slices; i++) starts[i] = i * rowsPerSlice;
        var nodes = new SliceTree(slices).Cover(0, slices);
        var tree = Measure.Seconds(() =>
            SegmentedGemm.Run<float>(m, n, a, b, c, m * n, new Segments(starts, 0, slices, nodes)));
        Measure.Report("segmented", $"{m}x{n} {slices}x{rowsPerSlice} rows", tree, 2.0 * m * n * rows);
    }
}
