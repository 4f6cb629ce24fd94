using System.Numerics;
using System.Runtime.InteropServices;
using Convoy.Kernels.Cpu.Conv;
using Convoy.Kernels.Reference;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.OpenCl;

/// <summary>
/// Convolutions of one element type on a device, in pieces that it has memory for. The bits are those of the
/// processor's kernels: Conv2d.cl has the order of sums.
/// </summary>
internal sealed unsafe class ClConv<T>(ClSession session) : IDisposable where T : unmanaged, IFloatingPointIeee754<T>
{
    // Tables of terms that are kept; a model has a few for each of its convolutions.
    private const int TablesMax = 1_024;
    private const int SlotsMax = 4_096;

    private readonly Dictionary<(Conv2dShape Shape, int Phase, bool WithZeros), ConvTerms> _tables = [];
    private readonly ClProgram _program = new(session, typeof(T) == typeof(double));
    private readonly List<(int To, int From)>[] _levels =
        [.. Enumerable.Range(0, 32).Select(_ => new List<(int, int)>())];

    public void Forward(
        ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> bias, Span<T> y, in Conv2dShape s)
    {
        var most = PieceOf((long)Math.Max(s.InputSize, s.OutputSize) * sizeof(T));
        fixed (T* px = x, pw = w, pb = bias)
        {
            for (var n = 0; n < s.N; n += most)
            {
                var count = Math.Min(most, s.N - n);
                Correlate(x.Slice(n * s.InputSize, count * s.InputSize), w[..s.WeightSize],
                    bias.IsEmpty ? bias : bias[..s.COut], Table(s, -1, false), OfForward(s, count, bias.IsEmpty),
                    s.Groups, (long)count * s.OutputSize);
                session.Read(Result, 0, y.Slice(n * s.OutputSize, count * s.OutputSize));
            }
        }
    }

    /// <summary>
    /// With a stride, terms for which the gradient has no pixel are left out where every weight is finite: they would
    /// make +0 of -0 and nothing else, and those few results are summed again in full.
    /// </summary>
    public void GradInput(ReadOnlySpan<T> dy, ReadOnlySpan<T> w, Span<T> dx, in Conv2dShape s)
    {
        var withZeros = s.Stride > 1 && !AllFinite(w[..s.WeightSize]);
        var most = PieceOf((long)Math.Max(s.InputSize, s.OutputSize) * sizeof(T));
        fixed (T* pdy = dy, pw = w)
        {
            for (var n = 0; n < s.N; n += most)
            {
                var count = Math.Min(most, s.N - n);
                var from = dy.Slice(n * s.OutputSize, count * s.OutputSize);
                for (var phase = 0; phase < s.Stride * s.Stride; phase++)
                {
                    var (h, v) = Math.DivRem(phase, s.Stride);
                    if (h >= s.H || v >= s.W) continue;
                    var call = OfPhase(s, count, h, v);
                    // The first phase has them sent; the others find them there.
                    var image = phase == 0 ? from : default;
                    var weights = phase == 0 ? w[..s.WeightSize] : default;
                    Correlate(image, weights, default, Table(s, phase, withZeros), call, s.Groups,
                        (long)count * s.InputSize);
                }

                session.Read(Result, 0, dx.Slice(n * s.InputSize, count * s.InputSize));
            }
        }

        if (s.Stride > 1 && !withZeros) Repair(dy, w, dx[..(s.N * s.InputSize)], s);
    }

    public void GradWeight(
        ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dw, int nodeStride, in Conv2dShape shape, in Segments s)
    {
        for (var i = 0; i < s.Nodes.Length; i++)
        {
            var to = dw.Slice(i * nodeStride, shape.WeightSize);
            if (s.RowsOf(s.Nodes[i]) is var (from, end) && from == end)
            {
                to.Clear();
                continue;
            }

            var most = Math.Clamp(session.PieceBytes / ((long)shape.WeightSize * sizeof(T)), 1, SlotsMax);
            // Before the first launch: a buffer that grows forgets what was in it.
            session.Room(ClSlot.Result, checked((most + s.Nodes[i].Level + 1) * shape.WeightSize * sizeof(T)));
            Node(x, dy, shape, s, s.Nodes[i], 0, (int)most);
            session.Read(Result, 0, to);
        }
    }

    public void Dispose()
    {
        foreach (var table in _tables.Values) table.Free(session);
        _program.Dispose();
    }

    private nint Result => session.Room(ClSlot.Result, 0);

    private int PieceOf(long bytesPerSample) => (int)Math.Clamp(session.PieceBytes / bytesPerSample, 1, int.MaxValue);

    private static bool AllFinite(ReadOnlySpan<T> w)
    {
        foreach (var value in w)
            if (!T.IsFinite(value)) return false;
        return true;
    }

    private static void Repair(ReadOnlySpan<T> dy, ReadOnlySpan<T> w, Span<T> dx, in Conv2dShape s)
    {
        for (var i = 0; i < dx.Length; i++)
        {
            if (!T.IsZero(dx[i]) || T.IsPositive(dx[i])) continue;
            var (row, column) = Math.DivRem(i, s.W);
            var (plane, h) = Math.DivRem(row, s.H);
            var (n, c) = Math.DivRem(plane, s.CIn);
            dx[i] = ConvReference.InputGradient(dy, w, n, c, h, column, s);
        }
    }

    private ConvTerms Table(in Conv2dShape s, int phase, bool withZeros)
    {
        var key = (s with { N = 0 }, phase, withZeros);
        if (_tables.TryGetValue(key, out var table)) return table;
        if (_tables.Count == TablesMax)
        {
            session.Finish();
            foreach (var old in _tables.Values) old.Free(session);
            _tables.Clear();
        }

        table = phase < 0 ? ConvTerms.OfForward(session, s)
            : ConvTerms.OfPhase(session, s, phase / s.Stride, phase % s.Stride, withZeros);
        _tables.Add(key, table);
        return table;
    }

    private void Correlate(ReadOnlySpan<T> image, ReadOnlySpan<T> w, ReadOnlySpan<T> bias, ConvTerms table,
        Correlation call, int groups, long results)
    {
        var kernel = _program.Correlate;
        session.Set(kernel, 0, image.IsEmpty ? session.Room(ClSlot.Image, 0) : session.Write(ClSlot.Image, image));
        session.Set(kernel, 1, w.IsEmpty ? session.Room(ClSlot.Weights, 0) : session.Write(ClSlot.Weights, w));
        session.Set(kernel, 2, session.Write(ClSlot.Bias, bias));
        session.Set(kernel, 3, session.Room(ClSlot.Result, results * sizeof(T)));
        session.Set(kernel, 4, table.Terms);
        session.Set(kernel, 5, table.Ends);
        session.Set(kernel, 6, call with { Tiles = table.Tiles });
        session.Launch(kernel, Whole((long)call.Samples * call.Pixels, ConvTiles.Columns, ConvTiles.ItemColumns),
            Whole(call.Rows, ConvTiles.Rows, ConvTiles.ItemRows), (nuint)groups, tiled: true);
    }

    // Items for so many results in groups of so many.
    private static nuint Whole(long results, int each, int items) => (nuint)((results + each - 1) / each * items);

    private static Correlation OfForward(in Conv2dShape s, int samples, bool isBare) => new()
    {
        Rows = s.COutGroup, Samples = samples, Pixels = s.OutH * s.OutW, Columns = s.OutW,
        Height = s.H, Width = s.W, ImageSample = s.InputSize, ImageGroup = s.CInGroup * s.H * s.W,
        Step = s.Stride, First = -s.Padding,
        ResultSample = s.OutputSize, ResultGroup = s.COutGroup * s.OutH * s.OutW, ResultRow = s.OutH * s.OutW,
        ResultWidth = s.OutW, ResultStep = 1,
        WeightGroup = s.COutGroup * s.Terms, WeightRow = s.Terms, HasBias = isBare ? 0 : 1,
    };

    private static Correlation OfPhase(in Conv2dShape s, int samples, int top, int left)
    {
        var rows = PaddedImage.PhaseLength(s.H, top, s.Stride);
        var columns = PaddedImage.PhaseLength(s.W, left, s.Stride);
        return new Correlation
        {
            Rows = s.CInGroup, Samples = samples, Pixels = rows * columns, Columns = columns,
            Height = s.OutH, Width = s.OutW, ImageSample = s.OutputSize, ImageGroup = s.COutGroup * s.OutH * s.OutW,
            Step = 1,
            ResultSample = s.InputSize, ResultGroup = s.CInGroup * s.H * s.W, ResultRow = s.H * s.W,
            ResultWidth = s.W, ResultStep = s.Stride, Top = top, Left = left,
            WeightGroup = s.COutGroup * s.Terms, WeightRow = s.Kh * s.Kw,
        };
    }

    // The sum of a node that has samples, in this place among the sums; those behind it are used on the way.
    private void Node(ReadOnlySpan<T> x, ReadOnlySpan<T> dy, in Conv2dShape shape, in Segments s, TreeNode node, int at,
        int most)
    {
        var (from, end) = s.RowsOf(node);
        var bytes = (long)(end - from) * Math.Max(shape.InputSize, shape.OutputSize) * sizeof(T);
        var (first, last) = SlicesOf(s, node);
        if (node.Level == 0 || (last - first <= most && bytes <= session.PieceBytes))
        {
            Batch(x, dy, shape, s, node, at, first, last);
            return;
        }

        var (left, right) = (s.RowsOf(node.Left), s.RowsOf(node.Right));
        if (left.From < left.End) Node(x, dy, shape, s, node.Left, at, most);
        if (right.From == right.End) return;
        var isAlone = left.From == left.End;
        Node(x, dy, shape, s, node.Right, isAlone ? at : at + 1, most);
        if (isAlone) return;
        _levels[0].Add((at, at + 1));
        AddLevels(0, shape.WeightSize);
    }

    // The slices of a node in the share, from its first one with samples on.
    private static (int First, int Last) SlicesOf(in Segments s, TreeNode node)
    {
        var first = (int)Math.Clamp(((long)node.Index << node.Level) - s.FirstSlice, 0, s.SliceCount);
        var last = (int)Math.Clamp((((long)node.Index + 1) << node.Level) - s.FirstSlice, 0, s.SliceCount);
        while (first < last && s.RowStarts[first + 1] == s.RowStarts[first]) first++;
        return (first, last);
    }

    // All slices of a node in one launch, then a launch for each level of its tree.
    private void Batch(ReadOnlySpan<T> x, ReadOnlySpan<T> dy, in Conv2dShape shape, in Segments s, TreeNode node,
        int at, int first, int last)
    {
        var (from, end) = (s.RowStarts[first], s.RowStarts[last]);
        var starts = Cpu.Scratch.Rent<int>(Cpu.ScratchSlot.ConvOffsets, last - first + 1);
        for (var i = first; i <= last; i++) starts[i - first] = s.RowStarts[i] - from;
        var image = x[(from * shape.InputSize)..(end * shape.InputSize)];
        var gradient = dy[(from * shape.OutputSize)..(end * shape.OutputSize)];
        var kernel = _program.Weigh;
        var sums = session.Room(ClSlot.Result, 0);
        fixed (T* px = image, pdy = gradient)
        {
            session.Set(kernel, 0, session.Write<T>(ClSlot.Image, image));
            session.Set(kernel, 1, session.Write<T>(ClSlot.Weights, gradient));
            session.Set(kernel, 2, sums);
            session.Set(kernel, 3, Table(shape, -1, false).Terms);
            session.Set(kernel, 4, session.Write<int>(ClSlot.Starts, starts));
            session.Set(kernel, 5, OfWeights(shape, at * shape.WeightSize));
            session.Launch(kernel, Whole(shape.Terms, ConvTiles.Columns, ConvTiles.ItemColumns),
                Whole(shape.COutGroup, ConvTiles.Rows, ConvTiles.ItemRows), (nuint)(shape.Groups * (last - first)),
                tiled: true);
            Gather(s, node, at - first);
            AddLevels(node.Level, shape.WeightSize);
            session.Finish();
        }
    }

    // The place of a node's sum, which is that of its first slice with samples; -1: it has none. Lists the additions
    // that make it, by level.
    private int Gather(in Segments s, TreeNode node, int placeOfFirst)
    {
        var (from, end) = s.RowsOf(node);
        if (from == end) return -1;
        if (node.Level == 0) return placeOfFirst + node.Index - s.FirstSlice;
        var (left, right) = (Gather(s, node.Left, placeOfFirst), Gather(s, node.Right, placeOfFirst));
        if (left < 0) return right;
        if (right >= 0) _levels[node.Level].Add((left, right));
        return left;
    }

    private void AddLevels(int highest, int length)
    {
        for (var level = 0; level <= highest; level++)
        {
            var pairs = _levels[level];
            if (pairs.Count == 0) continue;
            var kernel = _program.Add;
            session.Set(kernel, 0, session.Room(ClSlot.Result, 0));
            fixed ((int, int)* list = CollectionsMarshal.AsSpan(pairs))
            {
                session.Set(kernel, 1, session.Write<(int, int)>(ClSlot.Pairs, CollectionsMarshal.AsSpan(pairs)));
                session.Set(kernel, 2, length);
                session.Launch(kernel, (nuint)length, (nuint)pairs.Count, 1, tiled: false);
                session.Finish();
            }

            pairs.Clear();
        }
    }

    private static Weighing OfWeights(in Conv2dShape s, int firstSum) => new()
    {
        Rows = s.COutGroup, Terms = s.Terms, Plane = s.OutH * s.OutW, Columns = s.OutW,
        Height = s.H, Width = s.W, Step = s.Stride, Padding = s.Padding,
        ImageSample = s.InputSize, ImageGroup = s.CInGroup * s.H * s.W,
        GradientSample = s.OutputSize, GradientGroup = s.COutGroup * s.OutH * s.OutW, Groups = s.Groups,
        FirstSum = firstSum,
    };
}

/// <summary>What correlate of Conv2d.cl is told, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct Correlation
{
    public int Rows, Samples, Pixels, Columns, Height, Width, ImageSample, ImageGroup, Step, First, ResultSample,
        ResultGroup, ResultRow, ResultWidth, ResultStep, Top, Left, WeightGroup, WeightRow, Tiles, HasBias;
}

/// <summary>What weigh of Conv2d.cl is told, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct Weighing
{
    public int Rows, Terms, Plane, Columns, Height, Width, Step, Padding, ImageSample, ImageGroup, GradientSample,
        GradientGroup, Groups, FirstSum;
}
