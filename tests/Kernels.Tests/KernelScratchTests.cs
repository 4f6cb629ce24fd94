using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests;

// MEM-04: what kernels keep for themselves is known from their sizes.
public sealed class KernelScratchTests
{
    // Pieces of 128 KB and more take whole huge pages: one of them is the difference of two nearly equal sizes.
    private const long NearBytes = 4 << 20;

    private readonly float[] _a = new Numbers(21).Floats(1 << 20);
    private readonly float[] _b = new Numbers(22).Floats(1 << 20);
    private readonly float[] _c = new float[1 << 20];

    [Theory]
    [InlineData(64, 64, 64)]
    [InlineData(300, 700, 500)]
    [InlineData(5, 3000, 300)]
    [InlineData(900, 10, 1000)]
    public void A_product_keeps_its_packed_operands(int m, int n, int k) => Compare(
        s => s.Gemm(m, n, k), () => Gemm.Run<float>(false, true, m, n, k, _a, k, _b, k, _c, n));

    [Theory]
    [InlineData(40, 60, 100, 1)]
    [InlineData(700, 500, 1000, 8)]
    [InlineData(512, 256, 2048, 4)]
    public void A_weight_gradient_keeps_the_sums_of_its_tree(int m, int n, int rows, int slices)
    {
        int[] starts = [.. Enumerable.Range(0, slices + 1).Select(i => rows * i / slices)];
        var nodes = new SliceTree(slices).Cover(0, slices);
        Compare(
            s => s.SegmentedGemm(m, n, new Segments(starts, 0, slices, nodes)),
            () => SegmentedGemm.Run<float>(m, n, _a, _b, _c, m * n, new Segments(starts, 0, slices, nodes)));
    }

    [Theory]
    [InlineData(1, 28, 16, 3, 1)]
    [InlineData(16, 14, 32, 3, 1)]
    [InlineData(32, 15, 64, 3, 2)]
    [InlineData(64, 14, 64, 1, 1)]
    [InlineData(3, 40, 4, 5, 1)]
    public void A_convolution_keeps_images_and_weights(int channels, int size, int results, int kernel, int stride)
    {
        var shape = new Conv2dShape(8, channels, size, size, results, kernel, kernel, stride, kernel / 2);
        int[] starts = [.. Enumerable.Range(0, 9)];
        var nodes = new SliceTree(8).Cover(0, 8);
        Compare(s => s.Conv2dForward(shape), () => Conv2d.Forward<float>(_a, _b, default, _c, shape));
        Compare(s => s.Conv2dGradInput(shape), () => Conv2d.GradInput<float>(_a, _b, _c, shape));
        Compare(
            s => s.Conv2dGradWeight(shape, new Segments(starts, 0, 8, nodes)),
            () => Conv2d.SegmentedGradWeight<float>(
                _a, _b, _c, shape.WeightSize, shape, new Segments(starts, 0, 8, nodes)));
    }

    [Theory]
    [InlineData(2, 64, 4, 16)]
    [InlineData(1, 300, 2, 64)]
    public void Attention_keeps_scores_of_one_head(int batch, int time, int heads, int size)
    {
        var d = heads * size;
        var shape = new AttentionShape(batch, time, heads, size, 3 * d, d, true);
        var lse = new float[batch * heads * time];
        Compare(
            s => s.Attention(shape, gradient: false),
            () => Attention.Forward<float>(_a, _a.AsSpan(d), _a.AsSpan(2 * d), _c, lse, shape));
        Compare(
            s => s.Attention(shape, gradient: true),
            () => Attention.Backward<float>(
                _a, _a.AsSpan(d), _a.AsSpan(2 * d), _c, lse, _b, _c, _c.AsSpan(d), _c.AsSpan(2 * d), shape));
    }

    private static void Compare(Action<KernelScratch> predict, Action run)
    {
        var predicted = new KernelScratch();
        predict(predicted);
        var (before, kept) = (-1L, 0L);
        // A thread of its own begins with nothing.
        var thread = new Thread(() =>
        {
            before = KernelScratch.ThreadBytes;
            run();
            kept = KernelScratch.ThreadBytes;
        });
        thread.Start();
        thread.Join();
        Assert.Equal(0, before);
        Assert.InRange(kept, Math.Max(1, predicted.Bytes - NearBytes), predicted.Bytes);
    }
}
