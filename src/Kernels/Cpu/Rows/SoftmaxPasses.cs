using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Rows;

// Rows of a softmax abreast: one loop finds the largest element of a row, makes the powers of the row two before, and
// writes the one before that. It reads and writes memory all the time, where passes one after the other wait for it and
// then leave it idle. Two before, not one: a row's largest element is known a row before its powers begin, and nothing
// waits for it. The bits are those of one row alone. Measured with AVX-512 (one core of Zen 5, 2026-11): cross-entropy
// of 16,384 x 1,024 in 2.0 ms, with powers one row behind and 1,024 elements called ahead 2.6.
internal static unsafe class SoftmaxPasses
{
    // Three rows and the powers of one stay in a first-level cache, or next to it.
    private const int WidthMax = 2_048;
    private const int PageFloats = 1_024;

    // Elements between the one that is compared and the one that is called from memory.
    private const int Ahead = 3_072;

    /// <summary>y = softmax of each row, past the caches; y begins at a cache line. Returns how many rows it
    /// did.</summary>
    public static int Forward<V>(float* x, int rows, int n, float* y) where V : unmanaged, ILanes<V>
    {
        if (!Fits<V>(rows, n)) return 0;
        // Half a page from the rows: a core takes a load for one of what was just stored if their places in a page
        // agree.
        var powers = stackalloc float[n + PageFloats];
        powers += (x + (PageFloats / 2) - powers) & (PageFloats - 1);
        var lanes = stackalloc float[3 * Order.Lanes];
        // The largest element of the row whose powers are made, what those of the row before it are multiplied by, and
        // the largest element of the row after it.
        var row = stackalloc float[3] { LaneSums.Max<V>(x, n), 0f, LaneSums.Max<V>(x + n, n) };
        for (var r = 0; r < rows; r++, x += n)
        {
            // The row before it is written; at first there is none, and what comes of it is written over.
            var before = r == 0 ? y : y + (((nint)r - 1) * n);
            Run<V, Written>(x, x + ((nint)Math.Min(2, rows - 1 - r) * n), n, row, powers, before, lanes);
            var total = LaneSums.Fold(lanes);
            if (!Exponentials.AllNear(lanes + Order.Lanes)) total = FloatSoftmax.PowersAny<V>(x, n, row[0], powers);
            row[1] = 1f / total;
            (row[0], row[2]) = (row[2], LaneSums.Largest(lanes + (2 * Order.Lanes), Order.Lanes));
        }

        FloatElementwise.BinaryScalar<V, Operators.Multiply>(powers, row[1], y + (((nint)rows - 1) * n), n);
        return rows;
    }

    /// <summary>ln Σ e^(x - max) of each row, and its largest element, max. Returns how many rows it did.</summary>
    public static int LogSum<V>(float* x, int rows, int n, float* logSum, float* largest)
        where V : unmanaged, ILanes<V>
    {
        if (!Fits<V>(rows, n)) return 0;
        var lanes = stackalloc float[3 * Order.Lanes];
        var row = stackalloc float[3] { LaneSums.Max<V>(x, n), 0f, LaneSums.Max<V>(x + n, n) };
        for (var r = 0; r < rows; r++, x += n)
        {
            Run<V, Summed>(x, x + ((nint)Math.Min(2, rows - 1 - r) * n), n, row, null, null, lanes);
            var total = LaneSums.Fold(lanes);
            if (!Exponentials.AllNear(lanes + Order.Lanes)) total = FloatSoftmax.SumAny<V>(x, n, row[0]);
            (logSum[r], largest[r]) = (total, row[0]);
            (row[0], row[2]) = (row[2], LaneSums.Largest(lanes + (2 * Order.Lanes), Order.Lanes));
        }

        var i = 0;
        for (; i <= rows - V.Count; i += V.Count)
            V.Store(FloatMath.Log(V.Load(logSum + i)), logSum + i);
        for (; i < rows; i++) logSum[i] = FloatMath.Log(new Lane1(logSum[i])).V;
        return rows;
    }

    private static bool Fits<V>(int rows, int n) where V : unmanaged, ILanes<V> =>
        V.Count > 1 && rows > 1 && n > 0 && n <= WidthMax && n % Order.Lanes == 0;

    private static void Run<V, TMode>(
        float* x, float* next, int n, float* row, float* powers, float* y, float* lanes)
        where V : unmanaged, ILanes<V>
    {
        var constants = ExpConstants<V>.Address;
        if (V.Count == 16) Sixteens<V, TMode>(x, next, n, row, powers, y, constants, lanes);
        else if (V.Count == 8) Eights<V, TMode>(x, next, n, row, powers, y, constants, lanes);
        else Eights<Pair<V>, TMode>(x, next, n, row, powers, y, constants, lanes);
    }

    // What is done with the powers, for the compiler: written as a softmax, or only added up.
    private readonly struct Written;
    private readonly struct Summed;

    // V holds 8 lanes, two registers for the virtual ones.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Eights<V, TMode>(
        float* x, float* next, int n, float* row, float* powers, float* y, float* constants, float* lanes)
        where V : unmanaged, ILanes<V>
    {
        var form = ExpConstants<V>.Load(constants);
        V maxes = V.Create(row[0]), scales = V.Create(row[1]);
        V low = default, high = default, reach = default;
        var largest = V.Create(float.NegativeInfinity);
        var ahead = next + Ahead;
        for (nint i = 0; i < n; i += Order.Lanes)
        {
            Memory.Fetch(ahead + i);
            var first = V.Load(x + i) - maxes;
            var second = V.Load(x + i + V.Count) - maxes;
            reach = V.Lesser(V.Lesser(reach, first), second);
            largest = V.Larger(V.Load(next + i), largest);
            largest = V.Larger(V.Load(next + i + V.Count), largest);
            // After the loads: a store waits for nothing, but a load behind it at the same place of another page does.
            Write<V, TMode>(powers + i, scales, y + i);
            Write<V, TMode>(powers + i + V.Count, scales, y + i + V.Count);
            low += Keep<V, TMode>(FloatMath.ExpNear(first, form), powers + i);
            high += Keep<V, TMode>(FloatMath.ExpNear(second, form), powers + i + V.Count);
        }

        V.Store(low, lanes);
        V.Store(high, lanes + V.Count);
        V.Store(reach, lanes + Order.Lanes);
        V.Store(reach, lanes + Order.Lanes + V.Count);
        V.Store(largest, lanes + (2 * Order.Lanes));
        V.Store(largest, lanes + (2 * Order.Lanes) + V.Count);
    }

    // V holds all virtual lanes. There are registers for two stages: what is left of the next exponents is found beside
    // the powers of these, so that a core has two chains in hand.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Sixteens<V, TMode>(
        float* x, float* next, int n, float* row, float* powers, float* y, float* constants, float* lanes)
        where V : unmanaged, ILanes<V>
    {
        var form = ExpConstants<V>.Load(constants);
        V maxes = V.Create(row[0]), scales = V.Create(row[1]);
        var largest = V.Create(float.NegativeInfinity);
        var ahead = next + Ahead;
        var exponent = V.Load(x) - maxes;
        V sum = default, reach = V.Lesser(default, exponent);
        var part = FloatMath.ExpNearBegin(exponent, form);
        nint last = n - Order.Lanes;
        for (nint i = 0; i < last; i += Order.Lanes)
        {
            Memory.Fetch(ahead + i);
            Write<V, TMode>(powers + i, scales, y + i);
            exponent = V.Load(x + i + Order.Lanes) - maxes;
            reach = V.Lesser(reach, exponent);
            largest = V.Larger(V.Load(next + i), largest);
            var nextPart = FloatMath.ExpNearBegin(exponent, form);
            sum += Keep<V, TMode>(FloatMath.ExpNearEnd(part, form), powers + i);
            part = nextPart;
        }

        Memory.Fetch(ahead + last);
        Write<V, TMode>(powers + last, scales, y + last);
        largest = V.Larger(V.Load(next + last), largest);
        sum += Keep<V, TMode>(FloatMath.ExpNearEnd(part, form), powers + last);
        V.Store(sum, lanes);
        V.Store(reach, lanes + Order.Lanes);
        V.Store(largest, lanes + (2 * Order.Lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write<V, TMode>(float* powers, V scale, float* y) where V : unmanaged, ILanes<V>
    {
        if (typeof(TMode) == typeof(Written)) V.Stream(V.Load(powers) * scale, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Keep<V, TMode>(V power, float* powers) where V : unmanaged, ILanes<V>
    {
        if (typeof(TMode) == typeof(Written)) V.Store(power, powers);
        return power;
    }
}
