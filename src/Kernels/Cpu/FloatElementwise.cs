using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Operators;

namespace Convoy.Kernels.Cpu;

// Elementwise loops of float32: whole registers, then the tail one element at a time with the same formula. The
// width is a constant for the JIT, so only one branch of each dispatch is compiled.
internal static unsafe class FloatElementwise
{
    private const int ElementsPerPart = 65_536;

    // Elements between the one in hand and the one that is called from memory, as in ExpElements.
    private const int Ahead = 2_048;

    // Inlined into its caller, a long formula is more than the compiler inlines into one method: what is left over are
    // calls for each operation, at a tenth of the speed.
    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    public static void Unary<TOp>(ReadOnlySpan<float> x, Span<float> y) where TOp : struct, IUnaryOperator
    {
        fixed (float* px = x, py = y)
        {
            var work = new UnaryParts<TOp>(px, py, x.Length);
            ThreadTeam.Run(ref work, ThreadTeam.ElementParts(x.Length, ElementsPerPart));
        }
    }

    public static void Binary<TOp>(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
        where TOp : struct, IBinaryOperator
    {
        fixed (float* pa = a, pb = b, py = y)
        {
            var work = new BinaryParts<TOp>(pa, pb, py, a.Length);
            ThreadTeam.Run(ref work, ThreadTeam.ElementParts(a.Length, ElementsPerPart));
        }
    }

    public static void BinaryScalar<TOp>(ReadOnlySpan<float> a, float b, Span<float> y)
        where TOp : struct, IBinaryOperator
    {
        fixed (float* pa = a, py = y)
        {
            var work = new ScalarParts<TOp>(pa, b, py, a.Length);
            ThreadTeam.Run(ref work, ThreadTeam.ElementParts(a.Length, ElementsPerPart));
        }
    }

    private readonly struct UnaryParts<TOp>(float* x, float* y, int length) : ITeamWork
        where TOp : struct, IUnaryOperator
    {
        public void Run(int part, int parts)
        {
            var (i, count) = ThreadTeam.Range(length, part, parts, Order.Lanes);
            var stream = y != x && IsShort<TOp>() && Memory.Streams(length);
            if (SimdInfo.Lanes == 16) Unary<Lane16, TOp>(x + i, y + i, count, stream);
            else if (SimdInfo.Lanes == 8) Unary<Lane8, TOp>(x + i, y + i, count, stream);
            else if (SimdInfo.Lanes == 4) Unary<Lane4, TOp>(x + i, y + i, count, stream);
            else Unary<Lane1, TOp>(x + i, y + i, count, stream);
            if (stream) Memory.Fence();
        }
    }

    private readonly struct BinaryParts<TOp>(float* a, float* b, float* y, int length) : ITeamWork
        where TOp : struct, IBinaryOperator
    {
        public void Run(int part, int parts)
        {
            var (i, count) = ThreadTeam.Range(length, part, parts, Order.Lanes);
            var stream = y != a && y != b && Streams<TOp>(length);
            if (SimdInfo.Lanes == 16) Binary<Lane16, TOp>(a + i, b + i, y + i, count, stream);
            else if (SimdInfo.Lanes == 8) Binary<Lane8, TOp>(a + i, b + i, y + i, count, stream);
            else if (SimdInfo.Lanes == 4) Binary<Lane4, TOp>(a + i, b + i, y + i, count, stream);
            else Binary<Lane1, TOp>(a + i, b + i, y + i, count, stream);
            if (stream) Memory.Fence();
        }
    }

    private readonly struct ScalarParts<TOp>(float* a, float b, float* y, int length) : ITeamWork
        where TOp : struct, IBinaryOperator
    {
        public void Run(int part, int parts)
        {
            var (i, count) = ThreadTeam.Range(length, part, parts, Order.Lanes);
            var stream = y != a && Streams<TOp>(length);
            if (SimdInfo.Lanes == 16) BinaryScalar<Lane16, TOp>(a + i, b, y + i, count, stream);
            else if (SimdInfo.Lanes == 8) BinaryScalar<Lane8, TOp>(a + i, b, y + i, count, stream);
            else if (SimdInfo.Lanes == 4) BinaryScalar<Lane4, TOp>(a + i, b, y + i, count, stream);
            else BinaryScalar<Lane1, TOp>(a + i, b, y + i, count, stream);
            if (stream) Memory.Fence();
        }
    }

    [MethodImpl(Loop)]
    internal static void Unary<V, TOp>(float* x, float* y, int count, bool stream = false)
        where V : unmanaged, ILanes<V> where TOp : struct, IUnaryOperator
    {
        if (x != y && WithExponential<V, TOp>(x, y, count, stream)) return;
        var i = stream ? StreamUnary<V, TOp>(x, y, count) : 0;
        for (; i <= count - (2 * V.Count); i += 2 * V.Count)
            Pair<V>.Store(TOp.Lanes(Pair<V>.Load(x + i)), y + i);
        for (; i <= count - V.Count; i += V.Count) V.Store(TOp.Lanes(V.Load(x + i)), y + i);
        for (; i < count; i++) Lane1.Store(TOp.Lanes(Lane1.Load(x + i)), y + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool WithExponential<V, TOp>(float* x, float* y, int count, bool stream)
        where V : unmanaged, ILanes<V> where TOp : struct, IUnaryOperator
    {
        if (typeof(TOp) == typeof(Exp)) ExpElements.Run<V, ExpForm>(x, y, count, stream);
        else if (typeof(TOp) == typeof(Gelu)) ExpElements.Run<V, GeluForm>(x, y, count, stream);
        else if (typeof(TOp) == typeof(Tanh)) ExpElements.Run<V, TanhForm>(x, y, count, stream);
        else if (typeof(TOp) == typeof(Sigmoid)) ExpElements.Run<V, SigmoidForm>(x, y, count, stream);
        else if (typeof(TOp) == typeof(Silu)) ExpElements.Run<V, SiluForm>(x, y, count, stream);
        else return false;
        return true;
    }

    [MethodImpl(Loop)]
    internal static void Binary<V, TOp>(float* a, float* b, float* y, int count, bool stream = false)
        where V : unmanaged, ILanes<V> where TOp : struct, IBinaryOperator
    {
        var i = stream ? StreamBinary<V, TOp>(a, b, y, count) : 0;
        for (; i <= count - V.Count; i += V.Count) V.Store(TOp.Lanes(V.Load(a + i), V.Load(b + i)), y + i);
        for (; i < count; i++) Lane1.Store(TOp.Lanes(Lane1.Load(a + i), Lane1.Load(b + i)), y + i);
    }

    [MethodImpl(Loop)]
    internal static void BinaryScalar<V, TOp>(float* a, float b, float* y, int count, bool stream = false)
        where V : unmanaged, ILanes<V> where TOp : struct, IBinaryOperator
    {
        var i = stream ? StreamScalar<V, TOp>(a, b, y, count) : 0;
        var wide = V.Create(b);
        for (; i <= count - V.Count; i += V.Count) V.Store(TOp.Lanes(V.Load(a + i), wide), y + i);
        for (; i < count; i++) Lane1.Store(TOp.Lanes(Lane1.Load(a + i), Lane1.Create(b)), y + i);
    }

    // Formulas that wait for memory; longer ones are slower past the caches.
    private static bool IsShort<TOp>() where TOp : struct, IUnaryOperator =>
        typeof(TOp) == typeof(Relu) || typeof(TOp) == typeof(Abs) || typeof(TOp) == typeof(Square)
        || typeof(TOp) == typeof(Identity) || typeof(TOp) == typeof(Exp)
        || typeof(TOp) == typeof(Gelu) || typeof(TOp) == typeof(Sigmoid) || typeof(TOp) == typeof(Silu)
        || typeof(TOp) == typeof(Tanh);

    // A formula of one instruction waits for memory; a longer one waits for itself, and gains nothing by streaming.
    private static bool Streams<TOp>(long count) where TOp : struct, IBinaryOperator =>
        (typeof(TOp) == typeof(Add) || typeof(TOp) == typeof(Subtract) || typeof(TOp) == typeof(Multiply))
        && Memory.Streams(count);

    // What of an output can be streamed: whole cache lines, in pairs of registers. Returns where the rest begins.
    [MethodImpl(Loop)]
    private static int StreamUnary<V, TOp>(float* x, float* y, int count)
        where V : unmanaged, ILanes<V> where TOp : struct, IUnaryOperator
    {
        var i = Math.Min(Memory.ToLine(y), count);
        Unary<Lane1, TOp>(x, y, i);
        for (; i <= count - (2 * V.Count); i += 2 * V.Count)
        {
            for (nint line = 0; line < 2 * V.Count; line += Order.Lanes) Memory.Fetch(x + i + line + Ahead);
            Pair<V>.Stream(TOp.Lanes(Pair<V>.Load(x + i)), y + i);
        }

        return i;
    }

    [MethodImpl(Loop)]
    private static int StreamBinary<V, TOp>(float* a, float* b, float* y, int count)
        where V : unmanaged, ILanes<V> where TOp : struct, IBinaryOperator
    {
        var i = Math.Min(Memory.ToLine(y), count);
        Binary<Lane1, TOp>(a, b, y, i);
        for (; i <= count - (2 * V.Count); i += 2 * V.Count)
            Pair<V>.Stream(TOp.Lanes(Pair<V>.Load(a + i), Pair<V>.Load(b + i)), y + i);
        return i;
    }

    [MethodImpl(Loop)]
    private static int StreamScalar<V, TOp>(float* a, float b, float* y, int count)
        where V : unmanaged, ILanes<V> where TOp : struct, IBinaryOperator
    {
        var i = Math.Min(Memory.ToLine(y), count);
        BinaryScalar<Lane1, TOp>(a, b, y, i);
        for (; i <= count - (2 * V.Count); i += 2 * V.Count)
            Pair<V>.Stream(TOp.Lanes(Pair<V>.Load(a + i), Pair<V>.Create(b)), y + i);
        return i;
    }
}
