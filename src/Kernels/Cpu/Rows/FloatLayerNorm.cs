using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Rows;

internal static unsafe class FloatLayerNorm
{
    private const int ElementsPerPart = 32_768;

    // Rows abreast: three rows, gain and bias stay in a first-level cache, or next to it. Longer rows are faster one
    // after the other: 16 M elements in rows of 4,096 take 3.6 ms, abreast 6.2 (one core of Zen 5, 2026-11).
    private const int WidthMax = 2_048;

    // Elements between the one that is added up and the one that is called from memory.
    private const int Ahead = 2_048;

    public static void Forward(
        float* x, int rows, int n, float* gain, float* bias, float epsilon, float* y, float* mean, float* rstd)
    {
        var work = new ForwardParts(x, rows, n, gain, bias, epsilon, y, mean, rstd);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts((long)rows * n, ElementsPerPart));
    }

    private readonly struct ForwardParts(
        float* x, int rows, int n, float* gain, float* bias, float epsilon, float* y, float* mean, float* rstd)
            : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (r, count) = ThreadTeam.Range(rows, part, parts);
            var at = (nint)r * n;
            var stream = y != x && Memory.Streams((long)rows * n);
            if (SimdInfo.Lanes == 16)
                Forward<Lane16>(x + at, count, n, gain, bias, epsilon, y + at, mean + r, rstd + r, stream);
            else if (SimdInfo.Lanes == 8)
                Forward<Lane8>(x + at, count, n, gain, bias, epsilon, y + at, mean + r, rstd + r, stream);
            else if (SimdInfo.Lanes == 4)
                Forward<Lane4>(x + at, count, n, gain, bias, epsilon, y + at, mean + r, rstd + r, stream);
            else Forward<Lane1>(x + at, count, n, gain, bias, epsilon, y + at, mean + r, rstd + r, stream);
            if (stream) Memory.Fence();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Forward<V>(
        float* x, int rows, int n, float* gain, float* bias, float epsilon, float* y, float* mean, float* rstd,
        bool stream = false) where V : unmanaged, ILanes<V>
    {
        var first = stream ? Abreast<V>(x, rows, n, gain, bias, epsilon, y, mean, rstd) : 0;
        for (var r = first; r < rows; r++)
        {
            var row = x + ((nint)r * n);
            mean[r] = LaneSums.Long<V, SumTerm>(new SumTerm(row), n) / n;
            rstd[r] = Reciprocal(LaneSums.Long<V, SpreadTerm>(new SpreadTerm(row, mean[r], n), n), n, epsilon);
            Row<V>(row, n, mean[r], rstd[r], gain, bias, y + ((nint)r * n), stream);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Reciprocal(float spread, int n, float epsilon) => 1f / MathF.Sqrt((spread / n) + epsilon);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<V>(float* x, int n, float m, float s, float* gain, float* bias, float* y, bool stream)
        where V : unmanaged, ILanes<V>
    {
        var i = 0;
        if (stream)
        {
            for (var line = Math.Min(Memory.ToLine(y), n); i < line; i++)
                Output<Lane1>(x + i, m, s, gain + i, bias + i, y + i);
            for (; i <= n - (2 * V.Count); i += 2 * V.Count)
                Pair<V>.Stream(Normal<Pair<V>>(x + i, m, s, gain + i, bias + i), y + i);
        }

        for (; i <= n - V.Count; i += V.Count)
        {
            Memory.Fetch(y + n + i);
            Output<V>(x + i, m, s, gain + i, bias + i, y + i);
        }

        for (; i < n; i++) Output<Lane1>(x + i, m, s, gain + i, bias + i, y + i);
    }

    // Three rows abreast, each a pass behind the one before: one loop that reads and writes memory all the time, where
    // passes one after the other wait for it and then leave it idle. Returns how many rows it did.
    private static int Abreast<V>(
        float* x, int rows, int n, float* gain, float* bias, float epsilon, float* y, float* mean, float* rstd)
        where V : unmanaged, ILanes<V>
    {
        if (rows < 3 || V.Count == 1 || n % Order.Lanes != 0 || n > WidthMax || Memory.ToLine(y) != 0) return 0;
        var lanes = stackalloc float[2 * Order.Lanes];
        mean[0] = LaneSums.Run<V, SumTerm>(new SumTerm(x), n) / n;
        rstd[0] = Reciprocal(LaneSums.Run<V, SpreadTerm>(new SpreadTerm(x, mean[0], n), n), n, epsilon);
        mean[1] = LaneSums.Run<V, SumTerm>(new SumTerm(x + n), n) / n;
        for (var r = 0; r < rows - 2; r++, x += n, y += n)
        {
            if (V.Count == 16) Passes<V>(x, n, mean[r], rstd[r], mean[r + 1], gain, bias, y, lanes);
            else if (V.Count == 8) Passes<Pair<V>>(x, n, mean[r], rstd[r], mean[r + 1], gain, bias, y, lanes);
            else Passes<Pair<Pair<V>>>(x, n, mean[r], rstd[r], mean[r + 1], gain, bias, y, lanes);
            mean[r + 2] = LaneSums.Fold(lanes) / n;
            rstd[r + 1] = Reciprocal(LaneSums.Fold(lanes + Order.Lanes), n, epsilon);
        }

        return rows - 2;
    }

    // The output of row x, the spread of the next, the sum of the one after it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Passes<V>(
        float* x, int n, float m, float s, float nextMean, float* gain, float* bias, float* y, float* lanes)
        where V : unmanaged, ILanes<V>
    {
        var next = x + n;
        var last = next + n;
        V sum = default, spread = default;
        for (nint i = 0; i < n; i += Order.Lanes)
        {
            Memory.Fetch(last + Ahead + i);
            sum += V.Load(last + i);
            var d = V.Load(next + i) - V.Create(nextMean);
            spread = V.Fma(d, d, spread);
            V.Stream(Normal<V>(x + i, m, s, gain + i, bias + i), y + i);
        }

        V.Store(sum, lanes);
        V.Store(spread, lanes + Order.Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Output<V>(float* x, float m, float s, float* gain, float* bias, float* y)
        where V : unmanaged, ILanes<V> => V.Store(Normal<V>(x, m, s, gain, bias), y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Normal<V>(float* x, float m, float s, float* gain, float* bias) where V : unmanaged, ILanes<V> =>
        V.Fma((V.Load(x) - V.Create(m)) * V.Create(s), V.Load(gain), V.Load(bias));

    public static void GradInput(float* dy, float* x, int rows, int n, float* gain, float* mean, float* rstd, float* dx)
    {
        var work = new GradInputParts(dy, x, rows, n, gain, mean, rstd, dx);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts((long)rows * n, ElementsPerPart));
    }

    private readonly struct GradInputParts(
        float* dy, float* x, int rows, int n, float* gain, float* mean, float* rstd, float* dx) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (r, count) = ThreadTeam.Range(rows, part, parts);
            var at = (nint)r * n;
            if (SimdInfo.Lanes == 16) GradInput<Lane16>(dy + at, x + at, count, n, gain, mean + r, rstd + r, dx + at);
            else if (SimdInfo.Lanes == 8)
                GradInput<Lane8>(dy + at, x + at, count, n, gain, mean + r, rstd + r, dx + at);
            else if (SimdInfo.Lanes == 4)
                GradInput<Lane4>(dy + at, x + at, count, n, gain, mean + r, rstd + r, dx + at);
            else GradInput<Lane1>(dy + at, x + at, count, n, gain, mean + r, rstd + r, dx + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void GradInput<V>(
        float* dy, float* x, int rows, int n, float* gain, float* mean, float* rstd, float* dx)
        where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, x += n, dy += n, dx += n)
        {
            var (m, s) = (mean[r], rstd[r]);
            var meanG = LaneSums.Long<V, GradientTerm>(new GradientTerm(dy, gain), n) / n;
            var meanDot = LaneSums.Long<V, GradientDotTerm>(new GradientDotTerm(dy, gain, x, m, s), n) / n;
            var i = 0;
            for (; i <= n - V.Count; i += V.Count)
            {
                Memory.Fetch(dy + n + i);
                Memory.Fetch(x + n + i);
                Input<V>(dy + i, x + i, m, s, gain + i, meanG, meanDot, dx + i);
            }

            for (; i < n; i++) Input<Lane1>(dy + i, x + i, m, s, gain + i, meanG, meanDot, dx + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Input<V>(
        float* dy, float* x, float m, float s, float* gain, float meanG, float meanDot, float* dx)
        where V : unmanaged, ILanes<V>
    {
        var h = (V.Load(x) - V.Create(m)) * V.Create(s);
        var g = V.Load(dy) * V.Load(gain);
        var negated = h ^ V.CreateInt(int.MinValue);
        V.Store(V.Create(s) * V.Fma(negated, V.Create(meanDot), g - V.Create(meanG)), dx);
    }

    private readonly struct GradientTerm(float* dy, float* gain) : ILaneTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Add<V>(V sum, nint i) where V : unmanaged, ILanes<V> => sum + (V.Load(dy + i) * V.Load(gain + i));
    }

    private readonly struct GradientDotTerm(float* dy, float* gain, float* x, float m, float s) : ILaneTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Add<V>(V sum, nint i) where V : unmanaged, ILanes<V>
        {
            var h = (V.Load(x + i) - V.Create(m)) * V.Create(s);
            return V.Fma(V.Load(dy + i) * V.Load(gain + i), h, sum);
        }
    }
}
