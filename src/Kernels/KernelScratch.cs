using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Conv;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Cpu.Rows;

namespace Convoy.Kernels;

/// <summary>
/// Memory that kernels keep for themselves between calls, per thread: packed operands, sums that wait in a tree. Add
/// the kernels of a program with their sizes; <see cref="Bytes"/> is what a thread then keeps at most: each buffer is
/// as large as the largest kernel asked it to be. Nothing of it is in the memory that callers give.
/// </summary>
/// <param name="threads">Threads of the team that runs the kernels; each keeps buffers of its own.</param>
public sealed class KernelScratch(int threads = 1)
{
    // More than a phase of a convolution with a stride takes to be described.
    private const int PhaseFloats = 128;
    private readonly long[] _bytes = new long[(int)ScratchSlot.Count];
    private readonly long[] _members = new long[(int)ScratchSlot.Count]; // of each thread but the caller's

    /// <summary>What kernels keep for the calling thread now.</summary>
    public static long ThreadBytes => Scratch.ThreadBytes;

    /// <summary>Bytes that the thread which calls the kernels keeps at most.</summary>
    public long Bytes => _bytes.Sum(Memory.SizeOf);

    /// <summary>Bytes that all threads of the team keep at most.</summary>
    public long TeamBytes => Bytes + ((threads - 1) * _members.Sum(Memory.SizeOf));

    /// <summary><see cref="Kernels.Gemm"/> of [m, k] and [k, n].</summary>
    public void Gemm(int m, int n, int k)
    {
        if (m == 0 || n == 0) return;
        var (terms, parts) = (Math.Min(Order.Block, k), Parts(2L * m * n * k, FloatGemm.FlopsPerPart));
        Need(ScratchSlot.PackedA, (FloatGemm.RowBlock * terms) + Pack.Slack, parts);
        // A team packs every second panel while it computes with the one before; the panels belong to its caller.
        var columns = Math.Min((long)FloatGemm.ColumnBlock * parts, n + (long)(Width * parts));
        Need(ScratchSlot.PackedB, (parts > 1 ? 2 : 1) * columns * terms, 1);
    }

    /// <summary><see cref="Kernels.SegmentedGemm"/> with a result of [m, n].</summary>
    public void SegmentedGemm(int m, int n, in Segments segments)
    {
        if (m == 0 || n == 0) return;
        var parts = Parts(2L * m * n * segments.Rows, FloatSegmentedGemm.FlopsPerPart);
        Need(ScratchSlot.PackedA, (FloatSegmentedGemm.RowBlock * Order.Block) + Pack.Slack, parts);
        Need(ScratchSlot.PackedB, Whole(n, Width) * Order.Block, parts);
        Need(ScratchSlot.TileStack, FloatSegmentedGemm.StackTiles * Tile.Rows * Width, parts);
        var rows = Math.Min(m, Whole(((m - 1) / parts) + 1, Tile.Rows));
        Need(ScratchSlot.TreeCarry, FloatSegmentedGemm.CarryLevels(segments) * rows * n, parts);
    }

    /// <summary><see cref="Kernels.Conv2d.Forward"/>.</summary>
    public void Conv2dForward(in Conv2dShape s)
    {
        var (image, parts) = (PaddedImage.OfInput(s), PartsOf(s));
        Need(ScratchSlot.ConvOffsets, TermList.Size(s.Terms) + PatchProduct<Lane16>.PlaceSize(s.OutH * s.OutW), parts);
        Correlation(s.COutGroup, s.Terms, image.SizeWithSlack, s.OutH * (image.Width + 1), parts);
    }

    /// <summary><see cref="Kernels.Conv2d.GradInput"/>.</summary>
    public void Conv2dGradInput(in Conv2dShape s)
    {
        var (image, terms, phases) = (PaddedImage.OfGradient(s), s.COutGroup * s.Kh * s.Kw, s.Stride * s.Stride);
        var parts = PartsOf(s);
        Need(ScratchSlot.ConvOffsets, ((long)phases * (TermList.Size(terms) + NarrowTile.Rows)) + (s.H * s.W), parts);
        Need(ScratchSlot.ConvPhases, phases * PhaseFloats, parts);
        if (s.Stride > 1) Need(ScratchSlot.ConvPlanes, (long)s.CInGroup * s.H * s.W, parts);
        Correlation(s.CInGroup, terms, image.SizeWithSlack, s.H * (image.Width + 1), parts);
    }

    /// <summary><see cref="Kernels.Conv2d.SegmentedGradWeight"/>.</summary>
    public void Conv2dGradWeight(in Conv2dShape s, in Segments segments)
    {
        var (image, pixels) = (PaddedImage.OfInput(s), Math.Max(1, s.OutH * s.OutW));
        var (channels, parts) = (Whole(s.COutGroup, Width), PartsOf(s));
        long terms = PatchSum<Lane16>.PaddedTerms(s.Terms);
        Need(ScratchSlot.ConvImage, (2 + (Order.Block / pixels)) * (long)image.Size, parts);
        Need(ScratchSlot.ConvPanel, Order.Block * channels, parts);
        Need(ScratchSlot.ConvWeights, terms * channels, parts);
        Need(ScratchSlot.ConvOffsets, terms, parts);
        Need(ScratchSlot.ConvPlanes, TermList.Size(s.Terms), parts);
        // Sums of slices wait for their siblings, of a team also those of its parts.
        SegmentedSum(s.WeightSize, segments, parts);
        if (parts > 1) Need(ScratchSlot.TreeCarry, 2L * parts * s.WeightSize, 1);
    }

    /// <summary>Any other kernel whose sums over slices have so many elements: one sum waits in each level.</summary>
    public void SegmentedSum(long elements, in Segments segments) => SegmentedSum(elements, segments, 1);

    private void SegmentedSum(long elements, in Segments segments, int parts)
    {
        var height = 0;
        foreach (var node in segments.Nodes) height = Math.Max(height, node.Level);
        Need(ScratchSlot.ReferenceTree, height * elements, parts);
    }

    /// <summary>Sums along axes (<see cref="Reduce"/>).</summary>
    public void Sums() => Need(ScratchSlot.ReduceLanes, Order.Lanes * FloatReduce.Strip, threads);

    /// <summary><see cref="Kernels.Attention"/>; the gradient keeps the scores of a block of queries.</summary>
    public void Attention(in AttentionShape s, bool gradient)
    {
        if (s.HeadSize > FloatAttention.HeadSizeMax) return;
        var sizes = new AttentionSizes(s, Width, gradient);
        var parts = Parts(4L * s.Batch * s.Heads * s.Time * s.Time * s.HeadSize, FloatAttention.FlopsPerPart);
        Need(ScratchSlot.AttentionScores, sizes.Scores, parts);
        Need(ScratchSlot.AttentionGrads, sizes.Scores, parts);
        Need(ScratchSlot.PackedB, sizes.Packed, parts);
        Need(ScratchSlot.AttentionRows, sizes.Rows, parts);
    }

    // Columns of the widest register tile: two registers.
    private static int Width => 2 * SimdInfo.Lanes;

    private int Parts(long cost, long costPerPart) => ThreadTeam.Parts(cost, costPerPart, threads);

    private int PartsOf(in Conv2dShape s) => Parts(2L * s.N * s.OutputSize * s.Terms, FloatConv.FlopsPerPart);

    private void Correlation(int rows, int terms, int image, int flat, int parts)
    {
        Need(ScratchSlot.ConvImage, image, parts);
        Need(ScratchSlot.ConvWeights, Whole(rows, Width) * terms, parts);
        Need(ScratchSlot.PackedA, (long)rows * terms, parts);
        // A strip of pixels for each column of a tile, or few rows of the whole image.
        Need(ScratchSlot.ConvPanel, Math.Max(PatchProduct<Lane16>.Strip * Width,
            2 * rows <= Width ? rows * (flat + (12L * SimdInfo.Lanes)) : 0), parts);
    }

    private static long Whole(int count, int unit) => ((long)count + unit - 1) / unit * unit;

    private void Need(ScratchSlot slot, long floats, int parts)
    {
        floats = Math.Max(floats, 1);
        _bytes[(int)slot] = Math.Max(_bytes[(int)slot], floats * sizeof(float));
        if (parts > 1) _members[(int)slot] = Math.Max(_members[(int)slot], floats * sizeof(float));
    }
}
