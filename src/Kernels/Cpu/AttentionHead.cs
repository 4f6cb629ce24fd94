using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu;

// Buffers and products of one attention head. Score rows have `Stride` places, a whole number of tiles. Operands
// with keys or queries as terms are packed in blocks of 256 terms, one after the other.
internal readonly unsafe struct AttentionHead<V> where V : unmanaged, ILanes<V>
{
    public readonly AttentionShape Shape;
    public readonly int Stride;
    public readonly float* P;
    public readonly float* DS;
    public readonly float* KeysT;
    public readonly float* ValuesT;
    public readonly float* Keys;
    public readonly float* Values;
    public readonly float* Queries;
    public readonly float* Slopes;
    public readonly float* Factors;
    private readonly float* _sums;
    private readonly float* _rows;
    private readonly float* _result;
    private readonly int _width;

    /// <summary>For the forward pass, six rows of scores; for the backward pass those of one block.</summary>
    public AttentionHead(in AttentionShape s, bool backward)
    {
        Shape = s;
        var sizes = new AttentionSizes(s, Tile.Columns<V>(), backward);
        (Stride, _width) = (sizes.Stride, sizes.Width);
        P = Scratch.Floats(ScratchSlot.AttentionScores, sizes.Scores);
        DS = Scratch.Floats(ScratchSlot.AttentionGrads, sizes.Scores);
        KeysT = Scratch.Floats(ScratchSlot.PackedB, sizes.Packed);
        ValuesT = KeysT + sizes.Transposed;
        Keys = ValuesT + sizes.Transposed;
        Values = Keys + sizes.Plain;
        Queries = Values + sizes.Plain;
        Slopes = Queries + (sizes.Block * _width);
        _sums = Slopes + (sizes.Block * _width);
        _rows = Scratch.Floats(ScratchSlot.AttentionRows, sizes.Rows);
        _result = _rows + (Tile.Rows * s.HeadSize);
        Factors = _result + (Tile.Rows * _width);
    }

    /// <summary>Head size as terms, keys as columns.</summary>
    public void PackColumns(float* source, float* panels) =>
        Pack.Columns(Shape.HeadSize, Shape.Time, source, Shape.InputStride, panels, Tile.Columns<V>());

    /// <summary>Keys or queries as terms, head size as columns.</summary>
    public void PackRows(float* source, int stride, float* panels)
    {
        for (var t = 0; t < Shape.Time; t += Order.Block)
            PackBlock(source, stride, new TermBlock(t, Shape.Time), panels + ((nint)t * _width));
    }

    /// <summary>The keys or queries of one block.</summary>
    public void PackBlock(float* source, int stride, in TermBlock block, float* panels) => Pack.Rows(
        block.Terms, Shape.HeadSize, source + ((nint)block.Start * stride), stride, panels, Tile.Columns<V>());

    /// <summary>Keys that any of the six queries from i on sees.</summary>
    private int KeysOf(int i) => Math.Min(Shape.Time, Shape.Keys(i + Tile.Rows - 1));

    /// <summary>Six rows of products with all visible keys, unscaled.</summary>
    public void Scores(float* source, int stride, int i, float* keysT, float* scores)
    {
        var columns = Tile.Columns<V>();
        var rows = Math.Min(Tile.Rows, Shape.Time - i);
        Pack.Columns(Shape.HeadSize, rows, source + ((nint)i * stride), stride, _rows, Tile.Rows);
        for (var j = 0; j < KeysOf(i); j += columns)
        {
            Tile.Packed<V>(
                Shape.HeadSize, _rows, Tile.Rows, keysT + ((nint)j * Shape.HeadSize), scores + j, Stride,
                false);
        }
    }

    /// <summary>Places of a row of scores that are used: whole tiles up to the last key that any of six sees.</summary>
    public int WidthOf(int i) => (KeysOf(i) + Tile.Columns<V>() - 1) / Tile.Columns<V>() * Tile.Columns<V>();

    /// <summary>Scales a row of scores; what the query does not see becomes -infinity. Returns the largest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Scale(float* row, int visible, int width, float factor)
    {
        var max = V.Create(float.NegativeInfinity);
        fixed (float* places = LaneSums.Places)
        {
            for (var i = 0; i < width; i += V.Count)
            {
                var seen = V.Greater(V.Create(visible - i), V.Load(places));
                var value = V.Select(seen, V.Load(row + i) * V.Create(factor), V.Create(float.NegativeInfinity));
                V.Store(value, row + i);
                max = V.Larger(value, max);
            }
        }

        return LaneSums.Largest(max);
    }

    /// <summary>
    /// Turns unscaled scores into weights p = e^(s - lse), and gradients of weights into those of scores,
    /// p·(dp - delta)·scale; both are zero where the query does not see.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradients(float* p, float* ds, int visible, int width, float lse, float delta, float factor)
    {
        fixed (float* places = LaneSums.Places)
        {
            for (var i = 0; i < width; i += 2 * V.Count)
            {
                var seen = Pair<V>.Greater(Pair<V>.Create(visible - i), Pair<V>.Load(places));
                var score = (Pair<V>.Load(p + i) * Pair<V>.Create(factor)) - Pair<V>.Create(lse);
                var weight = FloatMath.Exp(score) & seen;
                Pair<V>.Store(weight, p + i);
                var slope = weight * (Pair<V>.Load(ds + i) - Pair<V>.Create(delta)) * Pair<V>.Create(factor);
                Pair<V>.Store(slope & seen, ds + i);
            }
        }
    }

    /// <summary>result[r, :] = Σ over visible keys j of a[r, j]·panels[j, :].</summary>
    public void WeightedSum(float* a, int i, float* panels)
    {
        var keys = KeysOf(i);
        for (var t = 0; t < keys; t += Order.Block)
        {
            var block = Math.Min(Order.Block, Shape.Time - t);
            var terms = Math.Min(Order.Block, keys - t);
            for (var e = 0; e < _width; e += Tile.Columns<V>())
            {
                var panel = panels + ((nint)t * _width) + ((nint)e * block);
                Tile.Direct<V>(terms, a + t, Stride, panel, _result + e, _width, t > 0);
            }
        }
    }

    /// <summary>result[c, :] = Σ over queries t of the block that see key j + c of a[t, j + c]·panels[t, :].</summary>
    public void ColumnSum(float* a, in TermBlock block, int j, float* panels)
    {
        var skip = Math.Max(0, Shape.FirstQuery(j) - block.Start);
        for (var e = 0; e < _width; e += Tile.Columns<V>())
        {
            var panel = panels + ((nint)e * block.Terms) + ((nint)skip * Tile.Columns<V>());
            Tile.Packed<V>(
                block.Terms - skip, a + ((nint)(block.Row(block.Start) + skip) * Stride) + j, Stride, panel,
                _result + e, _width, false);
        }
    }

    /// <summary>The result is added to that of the blocks before, and kept for those that come (K-2).</summary>
    /// <param name="ofValues">Of the two gradients that are summed over queries: that of v.</param>
    /// <param name="block">The queries that are in the result.</param>
    /// <param name="j">The first of its keys.</param>
    public void Carry(bool ofValues, in TermBlock block, int j)
    {
        var (isFirst, isLast) = (Shape.FirstQuery(j) >= block.Start, block.End == Shape.Time);
        if (isFirst && isLast) return;
        var sums = _sums + ((nint)(ofValues ? Shape.Time + Tile.Rows : 0) * _width) + ((nint)j * _width);
        for (var e = 0; e < Tile.Rows * _width; e += V.Count)
        {
            var sum = isFirst ? V.Load(_result + e) : V.Load(sums + e) + V.Load(_result + e);
            V.Store(sum, isLast ? _result + e : sums + e);
        }
    }

    /// <summary>
    /// After <see cref="WeightedSum"/>: a value that only others of the six queries see had the weight 0, which an
    /// infinity or a NaN survives. Rows that may have met one are summed again.
    /// </summary>
    /// <param name="values">What the sum is of, where it lies: keys at a distance of stride.</param>
    public void WithoutUnseenKeys(float* a, int i, float* values, int stride)
    {
        if (!Shape.Causal || IsFinite()) return;
        for (var r = 0; r < Math.Min(Tile.Rows, Shape.Time - i); r++)
            SumAgain(r, 0, Shape.Keys(i + r), a + ((nint)r * Stride), 1, values, stride);
    }

    /// <summary>After <see cref="ColumnSum"/>, as above for queries that do not see a key.</summary>
    public void WithoutUnseeingQueries(float* a, in TermBlock block, int j, float* values, int stride)
    {
        if (!Shape.Causal || IsFinite()) return;
        a += (nint)block.Row(block.Start) * Stride;
        for (var c = 0; c < Math.Min(Tile.Rows, Shape.Time - j); c++)
            SumAgain(c, Math.Max(0, Shape.FirstQuery(j + c) - block.Start), block.Terms, a + j + c, Stride,
                values + ((nint)block.Start * stride), stride);
    }

    private bool IsFinite()
    {
        var rest = V.Create(0f);
        for (var e = 0; e < Tile.Rows * _width; e += V.Count) rest += V.Load(_result + e) * V.Create(0f);
        var lanes = stackalloc float[V.Count];
        V.Store(rest, lanes);
        return !new ReadOnlySpan<float>(lanes, V.Count).Contains(float.NaN);
    }

    private void SumAgain(int row, int first, int end, float* a, int step, float* values, int stride)
    {
        var weights = new ReadOnlySpan<float>(a, checked(((end - 1) * step) + 1));
        var terms = new ReadOnlySpan<float>(values, checked(((end - 1) * stride) + Shape.HeadSize));
        for (var e = 0; e < Shape.HeadSize; e++)
            _result[((nint)row * _width) + e] =
                AttentionReference.Contract(first, end, weights, 0, step, terms, e, stride);
    }

    /// <summary>Writes the rows of the result that exist, times a factor per row; -0 becomes +0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Write(float* to, int stride, int i, float* factors)
    {
        for (var r = 0; r < Math.Min(Tile.Rows, Shape.Time - i); r++)
        {
            var (from, into) = ((nint)(_result + ((nint)r * _width)), (nint)(to + ((nint)r * stride)));
            var factor = factors is null ? 1f : factors[r];
            var e = 0;
            for (; e <= Shape.HeadSize - V.Count; e += V.Count) Put<V>((float*)from + e, (float*)into + e, factor);
            for (; e < Shape.HeadSize; e++) Put<Lane1>((float*)from + e, (float*)into + e, factor);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<W>(float* from, float* to, float factor) where W : unmanaged, ILanes<W> =>
        W.Store((W.Load(from) * W.Create(factor)) + W.Create(0f), to);
}

/// <summary>
/// One block of K-2 of the queries, and where its rows of scores lie: rows are computed six at a time from the first,
/// so up to five of the block before come with it.
/// </summary>
internal readonly struct TermBlock(int start, int time)
{
    public int Start => start;

    public int End => Math.Min(start + Order.Block, time);

    public int Terms => End - start;

    /// <summary>First query whose scores are computed with this block.</summary>
    public int First => start / Tile.Rows * Tile.Rows;

    /// <summary>Place of a query's row of scores.</summary>
    public int Row(int query) => query - First;
}

/// <summary>What one head takes of a thread's scratch, in floats.</summary>
internal readonly struct AttentionSizes
{
    public AttentionSizes(in AttentionShape s, int columns, bool backward)
    {
        Stride = (s.Time + columns - 1) / columns * columns;
        Width = (s.HeadSize + columns - 1) / columns * columns;
        (Transposed, Plain) = (Stride * s.HeadSize, s.Time * Width);
        Block = backward ? Math.Min(s.Time, Order.Block) : 0;
        var sums = backward && Block < s.Time ? (s.Time + Tile.Rows) * Width : 0;
        // A lane more: the last columns of a column sum are read as whole tiles.
        Scores = checked(((backward ? Block + (2 * Tile.Rows) : Tile.Rows) * Stride) + Order.Lanes);
        Packed = checked((2 * (Transposed + Plain)) + (2 * ((Block * Width) + sums)));
        Rows = (Tile.Rows * (s.HeadSize + Width)) + Order.Lanes;
    }

    public int Stride { get; }

    public int Width { get; }

    /// <summary>Rows of one block, or of six queries in the forward pass.</summary>
    public int Scores { get; }

    public int Transposed { get; }

    public int Plain { get; }

    /// <summary>Queries of a block that are packed at a time.</summary>
    public int Block { get; }

    /// <summary>Operands, and sums of two gradients while blocks are still to come.</summary>
    public int Packed { get; }

    public int Rows { get; }
}
