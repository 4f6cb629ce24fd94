using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Rows;

// Softmax family, a row at a time: the row stays in the first-level cache between its passes.
internal static unsafe class FloatSoftmax
{
    private const int ElementsPerPart = 32_768;

    public static void Forward(float* x, int rows, int n, float* y)
    {
        var work = new ForwardParts(x, rows, n, y);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts((long)rows * n, ElementsPerPart));
    }

    private readonly struct ForwardParts(
        float* x, int rows, int n, float* y) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (r, count) = ThreadTeam.Range(rows, part, parts);
            var at = (nint)r * n;
            var stream = x != y && Memory.Streams((long)rows * n);
            if (SimdInfo.Lanes == 16) Forward<Lane16>(x + at, count, n, y + at, stream);
            else if (SimdInfo.Lanes == 8) Forward<Lane8>(x + at, count, n, y + at, stream);
            else if (SimdInfo.Lanes == 4) Forward<Lane4>(x + at, count, n, y + at, stream);
            else Forward<Lane1>(x + at, count, n, y + at, stream);
            if (stream) Memory.Fence();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Forward<V>(float* x, int rows, int n, float* y, bool stream = false)
        where V : unmanaged, ILanes<V>
    {
        var r = stream && Memory.ToLine(y) == 0 ? SoftmaxPasses.Forward<V>(x, rows, n, y) : 0;
        x += (nint)r * n;
        y += (nint)r * n;
        for (; r < rows; r++, x += n, y += n)
        {
            var term = new RowTerm(x, y, LaneSums.Max<V>(x, n), n);
            // Where the output lies over the input there is no second try.
            if (x == y || !Exponentials.Near<V, RowTerm>(term, n, out var total))
                total = Exponentials.Any<V, RowTerm>(term, n);
            FloatElementwise.BinaryScalar<V, Operators.Multiply>(y, 1f / total, y, n);
        }
    }

    /// <summary>Stores y = e^(x - max) and adds it. Calls what lies `ahead` from memory: the next row.</summary>
    private readonly struct RowTerm(float* x, float* y, float max, nint ahead) : IExpTerm
    {
        private readonly float* _next = x + ahead;
        private readonly float* _nextOutput = y + ahead;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Ahead(nint i) => Memory.Fetch(_next + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Exponent<V>(nint i) where V : unmanaged, ILanes<V> => V.Load(x + i) - V.Create(max);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> =>
            Exponentials.ReachBelowZero(reach, exponent);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V>
        {
            Memory.Fetch(_nextOutput + i);
            V.Store(power, y + i);
            return sum + power;
        }
    }

    public static void Backward(float* y, float* dy, int rows, int n, float* dx)
    {
        var work = new BackwardParts(y, dy, rows, n, dx);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts((long)rows * n, ElementsPerPart));
    }

    private readonly struct BackwardParts(
        float* y, float* dy, int rows, int n, float* dx) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (r, count) = ThreadTeam.Range(rows, part, parts);
            var at = (nint)r * n;
            if (SimdInfo.Lanes == 16) Backward<Lane16>(y + at, dy + at, count, n, dx + at);
            else if (SimdInfo.Lanes == 8) Backward<Lane8>(y + at, dy + at, count, n, dx + at);
            else if (SimdInfo.Lanes == 4) Backward<Lane4>(y + at, dy + at, count, n, dx + at);
            else Backward<Lane1>(y + at, dy + at, count, n, dx + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Backward<V>(float* y, float* dy, int rows, int n, float* dx) where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, y += n, dy += n, dx += n)
        {
            var dot = LaneSums.Run<V, DotTerm>(new DotTerm(y, dy), n);
            var i = 0;
            for (; i <= n - V.Count; i += V.Count)
            {
                Memory.Fetch(y + n + i);
                Memory.Fetch(dy + n + i);
                V.Store(V.Load(y + i) * (V.Load(dy + i) - V.Create(dot)), dx + i);
            }

            for (; i < n; i++) dx[i] = y[i] * (dy[i] - dot);
        }
    }

    public static void LogForward(float* x, int rows, int n, float* y)
    {
        if (SimdInfo.Lanes == 16) LogForward<Lane16>(x, rows, n, y);
        else if (SimdInfo.Lanes == 8) LogForward<Lane8>(x, rows, n, y);
        else if (SimdInfo.Lanes == 4) LogForward<Lane4>(x, rows, n, y);
        else LogForward<Lane1>(x, rows, n, y);
    }

    internal static void LogForward<V>(float* x, int rows, int n, float* y) where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, x += n, y += n)
        {
            var max = LaneSums.Max<V>(x, n);
            var logSum = LogSum<V>(x, n, max);
            // One after the other: beside a large element their sum would lose the logarithm.
            FloatElementwise.BinaryScalar<V, Operators.Subtract>(x, max, y, n);
            FloatElementwise.BinaryScalar<V, Operators.Subtract>(y, logSum, y, n);
        }
    }

    public static void LogBackward(float* y, float* dy, int rows, int n, float* dx)
    {
        if (SimdInfo.Lanes == 16) LogBackward<Lane16>(y, dy, rows, n, dx);
        else if (SimdInfo.Lanes == 8) LogBackward<Lane8>(y, dy, rows, n, dx);
        else if (SimdInfo.Lanes == 4) LogBackward<Lane4>(y, dy, rows, n, dx);
        else LogBackward<Lane1>(y, dy, rows, n, dx);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void LogBackward<V>(float* y, float* dy, int rows, int n, float* dx)
        where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, y += n, dy += n, dx += n)
        {
            var term = new LogGradientTerm(y, dy, LaneSums.Run<V, SumTerm>(new SumTerm(dy), n), dx);
            if (dx == y || dx == dy || !Exponentials.Near<V, LogGradientTerm>(term, n, out _))
                Exponentials.Any<V, LogGradientTerm>(term, n);
        }
    }

    private readonly struct LogGradientTerm(float* y, float* dy, float total, float* dx) : IExpTerm
    {
        public void Ahead(nint i)
        {
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Exponent<V>(nint i) where V : unmanaged, ILanes<V> => V.Load(y + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => Exponentials.Reach(reach, exponent);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V>
        {
            V.Store(V.Load(dy + i) - (power * V.Create(total)), dx + i);
            return sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float LogSum<V>(float* x, int n, float max) where V : unmanaged, ILanes<V>
    {
        var term = new SumOnlyTerm(x, max, n);
        if (!Exponentials.Near<V, SumOnlyTerm>(term, n, out var total)) total = SumAny<V>(x, n, max);
        return FloatMath.Log(new Lane1(total)).V;
    }

    /// <summary>The sum of e^(x - max) where some exponents are far from zero.</summary>
    internal static float SumAny<V>(float* x, int n, float max) where V : unmanaged, ILanes<V> =>
        Exponentials.Any<V, SumOnlyTerm>(new SumOnlyTerm(x, max, n), n);

    /// <summary>The same where the powers are kept, in y.</summary>
    internal static float PowersAny<V>(float* x, int n, float max, float* y) where V : unmanaged, ILanes<V> =>
        Exponentials.Any<V, RowTerm>(new RowTerm(x, y, max, n), n);

    /// <summary>Adds e^(x - max). Calls what lies `ahead` from memory: the next row.</summary>
    private readonly struct SumOnlyTerm(float* x, float max, nint ahead) : IExpTerm
    {
        private readonly float* _next = x + ahead;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Ahead(nint i) => Memory.Fetch(_next + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Exponent<V>(nint i) where V : unmanaged, ILanes<V> => V.Load(x + i) - V.Create(max);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> =>
            Exponentials.ReachBelowZero(reach, exponent);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V> => sum + power;
    }

    public static void CrossEntropy(float* logits, int rows, int classes, int* targets, float* loss, float* logSum)
    {
        var work = new CrossEntropyParts(logits, rows, classes, targets, loss, logSum);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts((long)rows * classes, ElementsPerPart));
    }

    private readonly struct CrossEntropyParts(
        float* logits, int rows, int classes, int* targets, float* loss, float* logSum) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (r, count) = ThreadTeam.Range(rows, part, parts);
            var at = (nint)r * classes;
            if (SimdInfo.Lanes == 16)
                CrossEntropy<Lane16>(logits + at, count, classes, targets + r, loss + r, logSum + r);
            else if (SimdInfo.Lanes == 8)
                CrossEntropy<Lane8>(logits + at, count, classes, targets + r, loss + r, logSum + r);
            else if (SimdInfo.Lanes == 4)
                CrossEntropy<Lane4>(logits + at, count, classes, targets + r, loss + r, logSum + r);
            else CrossEntropy<Lane1>(logits + at, count, classes, targets + r, loss + r, logSum + r);
        }
    }

    internal static void CrossEntropy<V>(
        float* logits, int rows, int classes, int* targets, float* loss, float* logSum)
        where V : unmanaged, ILanes<V>
    {
        // The losses hold the largest logits until they are computed.
        var summed = SoftmaxPasses.LogSum<V>(logits, rows, classes, logSum, loss);
        for (var r = 0; r < rows; r++, logits += classes)
        {
            if (r >= summed) logSum[r] = LogSum<V>(logits, classes, loss[r] = LaneSums.Max<V>(logits, classes));
            loss[r] = (uint)targets[r] < (uint)classes ? logSum[r] - (logits[targets[r]] - loss[r]) : 0f;
        }
    }

    public static void CrossEntropyBackward(
        float* logits, int rows, int classes, int* targets, float* logSum, float* dLoss, float* dLogits)
    {
        var work = new CrossEntropyBackwardParts(logits, rows, classes, targets, logSum, dLoss, dLogits);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts((long)rows * classes, ElementsPerPart));
    }

    private readonly struct CrossEntropyBackwardParts(
        float* logits, int rows, int classes, int* targets, float* logSum, float* dLoss, float* dLogits) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (r, count) = ThreadTeam.Range(rows, part, parts);
            var at = (nint)r * classes;
            if (SimdInfo.Lanes == 16)
                CrossEntropyBackward<Lane16>(logits + at, count, classes, targets + r, logSum + r,
                    dLoss + r, dLogits + at);
            else if (SimdInfo.Lanes == 8)
                CrossEntropyBackward<Lane8>(logits + at, count, classes, targets + r, logSum + r,
                    dLoss + r, dLogits + at);
            else if (SimdInfo.Lanes == 4)
                CrossEntropyBackward<Lane4>(logits + at, count, classes, targets + r, logSum + r,
                    dLoss + r, dLogits + at);
            else CrossEntropyBackward<Lane1>(logits + at, count, classes, targets + r, logSum + r,
                dLoss + r, dLogits + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void CrossEntropyBackward<V>(
        float* logits, int rows, int classes, int* targets, float* logSum, float* dLoss, float* dLogits)
        where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, logits += classes, dLogits += classes)
        {
            if ((uint)targets[r] >= (uint)classes)
            {
                new Span<float>(dLogits, classes).Clear();
                continue;
            }

            // Before the loop: the output may lie over the input.
            var max = LaneSums.Max<V>(logits, classes);
            var own = (FloatMath.Exp(new Lane1(logits[targets[r]] - max - logSum[r])).V - 1f) * dLoss[r];
            var term = new GradientTerm(logits, max, logSum[r], dLoss[r], dLogits, classes);
            if (dLogits == logits || !Exponentials.Near<V, GradientTerm>(term, classes, out _))
                Exponentials.Any<V, GradientTerm>(term, classes);
            dLogits[targets[r]] = own;
        }
    }

    private readonly struct GradientTerm(
        float* x, float max, float logSum, float dLoss, float* dx, nint ahead) : IExpTerm
    {
        private readonly float* _next = x + ahead;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Ahead(nint i) => Memory.Fetch(_next + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Exponent<V>(nint i) where V : unmanaged, ILanes<V> => V.Load(x + i) - V.Create(max) - V.Create(logSum);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => Exponentials.Reach(reach, exponent);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V>
        {
            V.Store(power * V.Create(dLoss), dx + i);
            return sum;
        }
    }
}
