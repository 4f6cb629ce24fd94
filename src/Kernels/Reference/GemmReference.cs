using System.Numerics;
using Convoy.Kernels.Cpu;

namespace Convoy.Kernels.Reference;

internal static class GemmReference
{
    public static void Run<T>(
        bool transA, bool transB, int m, int n, int k, ReadOnlySpan<T> a, int lda, ReadOnlySpan<T> b, int ldb,
        Span<T> c, int ldc, ReadOnlySpan<T> bias, Activation activation, bool accumulate)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (rowA, stepA) = transA ? (1, lda) : (lda, 1);
        var (columnB, stepB) = transB ? (ldb, 1) : (1, ldb);
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var blocks = accumulate ? new BlockSum<T>(c[(i * ldc) + j]) : new BlockSum<T>();
                Contract(ref blocks, k, a, i * rowA, stepA, b, j * columnB, stepB);
                var sum = blocks.Total;
                if (!bias.IsEmpty) sum += bias[j];
                c[(i * ldc) + j] = Scalar<T>.Activate(sum, activation);
            }
        }
    }

    /// <summary>K-2: blocks of 256 terms, each a chain from zero, added left to right.</summary>
    public static T Contract<T>(
        int k, ReadOnlySpan<T> a, int fromA, int stepA, ReadOnlySpan<T> b, int fromB, int stepB)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var blocks = new BlockSum<T>();
        Contract(ref blocks, k, a, fromA, stepA, b, fromB, stepB);
        return blocks.Total;
    }

    private static void Contract<T>(
        ref BlockSum<T> blocks, int k, ReadOnlySpan<T> a, int fromA, int stepA, ReadOnlySpan<T> b, int fromB,
        int stepB) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var p = 0; p < k; p++) blocks.Add(a[fromA + (p * stepA)], b[fromB + (p * stepB)]);
    }
}

/// <summary>One contraction in the order of K-2, term by term; it may go on from a value that is there.</summary>
internal struct BlockSum<T>(T start) where T : unmanaged, IFloatingPointIeee754<T>
{
    private bool _started = true;
    private T _total = start;
    private T _chain = T.Zero;
    private int _terms;

    public void Add(T x, T y)
    {
        if (_terms > 0 && _terms % Order.Block == 0) Close();
        _chain = T.FusedMultiplyAdd(x, y, _chain);
        _terms++;
    }

    public readonly T Total => _started ? _total + _chain : _chain;

    private void Close()
    {
        _total = Total;
        _started = true;
        _chain = T.Zero;
    }
}

/// <summary>A horizontal sum over 16 virtual lanes, term by term.</summary>
internal ref struct LaneSum<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Span<T> _lanes;
    private int _terms;

    public LaneSum(Span<T> lanes)
    {
        _lanes = lanes[..Order.Lanes];
        _lanes.Clear();
    }

    public void Add(T x)
    {
        var lane = _terms++ % Order.Lanes;
        _lanes[lane] += x;
    }

    /// <summary>Adds x·y with one rounding.</summary>
    public void AddProduct(T x, T y)
    {
        var lane = _terms++ % Order.Lanes;
        _lanes[lane] = T.FusedMultiplyAdd(x, y, _lanes[lane]);
    }

    public readonly T Total()
    {
        for (var half = Order.Lanes / 2; half > 0; half /= 2)
            for (var lane = 0; lane < half; lane++) _lanes[lane] += _lanes[lane + half];
        return _lanes[0];
    }
}

/// <summary>A reduction of any number of terms: lanes over each <see cref="Order.LaneBlock"/> of them, blocks in
/// float64.</summary>
internal ref struct LongSum<T>(Span<T> lanes) where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Span<T> _lanes = lanes;
    private LaneSum<T> _block = new(lanes);
    private int _terms;
    private bool _closed;
    private double _blocks;

    public void Add(T x)
    {
        Next();
        _block.Add(x);
    }

    /// <summary>Adds x·y with one rounding.</summary>
    public void AddProduct(T x, T y)
    {
        Next();
        _block.AddProduct(x, y);
    }

    public readonly T Total() => _closed ? T.CreateTruncating(Blocks()) : _block.Total();

    private void Next()
    {
        if (_terms++ < Order.LaneBlock) return;
        _blocks = Blocks();
        _block = new LaneSum<T>(_lanes);
        (_terms, _closed) = (1, true);
    }

    private readonly double Blocks()
    {
        var block = double.CreateTruncating(_block.Total());
        return _closed ? _blocks + block : block;
    }
}
