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
    public readonly float* Factors;
    private readonly float* _rows;
    private readonly float* _result;
    private readonly int _width;

    public AttentionHead(in AttentionShape s, int rowsKept)
    {
        Shape = s;
        var columns = Tile.Columns<V>();
        Stride = (s.Time + columns - 1) / columns * columns;
        _width = (s.HeadSize + columns - 1) / columns * columns;
        // Six floats more: the last columns of a column sum are read as whole tiles.
        var scores = checked((rowsKept * Stride) + 16);
        P = Scratch.Floats(ScratchSlot.AttentionScores, scores);
        DS = Scratch.Floats(ScratchSlot.AttentionGrads, scores);
        var (transposed, plain) = (Stride * s.HeadSize, s.Time * _width);
        var packed = Scratch.Floats(ScratchSlot.PackedB, checked((2 * transposed) + (2 * plain)));
        KeysT = packed;
        ValuesT = KeysT + transposed;
        Keys = ValuesT + transposed;
        Values = Keys + plain;
        _rows = Scratch.Floats(ScratchSlot.AttentionRows, (Tile.Rows * (s.HeadSize + _width)) + 16);
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
        {
            var terms = Math.Min(Order.Block, Shape.Time - t);
            Pack.Rows(
                terms, Shape.HeadSize, source + ((nint)t * stride), stride, panels + ((nint)t * _width),
                Tile.Columns<V>());
        }
    }

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

    /// <summary>result[c, :] = Σ over queries t that see key j + c of a[t, j + c]·panels[t, :].</summary>
    public void ColumnSum(float* a, int j, float* panels)
    {
        var first = Shape.FirstQuery(j);
        for (var t = first / Order.Block * Order.Block; t < Shape.Time; t += Order.Block)
        {
            var block = Math.Min(Order.Block, Shape.Time - t);
            var skip = Math.Max(0, first - t);
            for (var e = 0; e < _width; e += Tile.Columns<V>())
            {
                var panel = panels + ((nint)t * _width) + ((nint)e * block) + ((nint)skip * Tile.Columns<V>());
                Tile.Packed<V>(
                    block - skip, a + ((nint)(t + skip) * Stride) + j, Stride, panel, _result + e, _width,
                    t + skip > first);
            }
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
    public void WithoutUnseeingQueries(float* a, int j, float* values, int stride)
    {
        if (!Shape.Causal || IsFinite()) return;
        for (var c = 0; c < Math.Min(Tile.Rows, Shape.Time - j); c++)
            SumAgain(c, Shape.FirstQuery(j + c), Shape.Time, a + j + c, Stride, values, stride);
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
        var weights = new ReadOnlySpan<float>(a, checked(((Shape.Time - 1) * step) + 1));
        var terms = new ReadOnlySpan<float>(values, checked(((Shape.Time - 1) * stride) + Shape.HeadSize));
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
