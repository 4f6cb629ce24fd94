using Convoy.Kernels.Operators;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests;

// A training step allocates nothing after the first one: scratch stays with its thread.
public sealed class AllocationTests
{
    private readonly float[] _a = new Numbers(1).Floats(65_536);
    private readonly float[] _b = new Numbers(2).Floats(65_536);
    private readonly float[] _c = new float[65_536];
    private readonly float[] _d = new float[65_536];
    private readonly int[] _ids = new int[4_096];
    private readonly int[] _starts = [0, 10, 10, 40, 64];
    private readonly TreeNode[] _nodes = new SliceTree(4).Cover(0, 4);

    private Segments Segments => new(_starts, 0, 4, _nodes);

    [Fact]
    public void Second_call_allocates_nothing()
    {
        Everything();
        Everything();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Everything();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Everything()
    {
        Gemm.Run<float>(true, true, 50, 60, 300, _a, 50, _b, 300, _c, 60, _d, Activation.Gelu);
        SegmentedGemm.Run<float>(30, 40, _a, _b, _c, 1_200, Segments);
        SegmentedSum.Rows<float>(_a, 40, _c, 40, Segments);
        Embedding.SegmentedScatterAdd<float>(_ids, _a, 16, 9, _c, 144, Segments);
        LayerNorm.Forward<float>(_a, _b.AsSpan(0, 64), _b.AsSpan(64), 1e-5f, _c, _d, _d.AsSpan(2_048));
        LayerNorm.SegmentedGradGainBias<float>(_a, _b, 64, _d, _d, _c, 64, _c.AsSpan(100), 64, Segments);
        Softmax.Forward<float>(_a, 64, _c);
        CrossEntropy.Forward<float>(_a.AsSpan(0, 4_096 * 16), 16, _ids, _c, _d);
        Attend();
        Convolve();
        Elementwise.Unary<float, Gelu>(_a, _c);
        Elementwise.BinaryRow<float, Add>(_a, _b.AsSpan(0, 256), _c);
        Optimizers.AdamW<float>(_d, _a, _c, _c, new AdamStep(0.1, 0.9, 0.99, 1e-8, 0, 1));
        Span<double> blocks = stackalloc double[16];
        SquaredNorm.Blocks<float>(_a, blocks);
        SquaredNorm.Tree(blocks);
    }

    private void Attend()
    {
        var shape = new AttentionShape(2, 40, 2, 8, 48, 16, true);
        Attention.Forward<float>(_a, _a.AsSpan(16), _a.AsSpan(32), _c, _d, shape);
        Attention.Backward<float>(
            _a, _a.AsSpan(16), _a.AsSpan(32), _c, _d, _b, _c.AsSpan(9_000), _c.AsSpan(9_016), _c.AsSpan(9_032), shape);
    }

    private void Convolve()
    {
        var shape = new Conv2dShape(64, 2, 8, 8, 4, 3, 3, Padding: 1);
        Conv2d.Forward<float>(_a, _b, default, _c, shape);
        Conv2d.GradInput<float>(_a, _b, _c, shape);
        Conv2d.SegmentedGradWeight<float>(_a, _b, _c, shape.WeightSize, shape, Segments);
        Conv2d.SegmentedGradBias<float>(_b, _c, shape.COut, shape, Segments);
        Pooling.MaxForward<float>(_a, _c, _ids, new Pool2dShape(64, 4, 8, 8, 2, 2, 2));
        Array.Clear(_ids);
    }
}
