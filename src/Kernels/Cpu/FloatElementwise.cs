using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Operators;

namespace Convoy.Kernels.Cpu;

// Elementwise loops of float32: whole registers, then the tail one element at a time with the same formula. The
// width is a constant for the JIT, so only one branch of each dispatch is compiled.
internal static unsafe class FloatElementwise
{
    public static void Unary<TOp>(ReadOnlySpan<float> x, Span<float> y) where TOp : struct, IUnaryOperator
    {
        fixed (float* px = x, py = y)
        {
            if (SimdInfo.Lanes == 16) Unary<Lane16, TOp>(px, py, x.Length);
            else if (SimdInfo.Lanes == 8) Unary<Lane8, TOp>(px, py, x.Length);
            else if (SimdInfo.Lanes == 4) Unary<Lane4, TOp>(px, py, x.Length);
            else Unary<Lane1, TOp>(px, py, x.Length);
        }
    }

    public static void Binary<TOp>(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
        where TOp : struct, IBinaryOperator
    {
        fixed (float* pa = a, pb = b, py = y)
        {
            if (SimdInfo.Lanes == 16) Binary<Lane16, TOp>(pa, pb, py, a.Length);
            else if (SimdInfo.Lanes == 8) Binary<Lane8, TOp>(pa, pb, py, a.Length);
            else if (SimdInfo.Lanes == 4) Binary<Lane4, TOp>(pa, pb, py, a.Length);
            else Binary<Lane1, TOp>(pa, pb, py, a.Length);
        }
    }

    public static void BinaryScalar<TOp>(ReadOnlySpan<float> a, float b, Span<float> y)
        where TOp : struct, IBinaryOperator
    {
        fixed (float* pa = a, py = y)
        {
            if (SimdInfo.Lanes == 16) BinaryScalar<Lane16, TOp>(pa, b, py, a.Length);
            else if (SimdInfo.Lanes == 8) BinaryScalar<Lane8, TOp>(pa, b, py, a.Length);
            else if (SimdInfo.Lanes == 4) BinaryScalar<Lane4, TOp>(pa, b, py, a.Length);
            else BinaryScalar<Lane1, TOp>(pa, b, py, a.Length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Unary<V, TOp>(float* x, float* y, int count)
        where V : unmanaged, ILanes<V> where TOp : struct, IUnaryOperator
    {
        var i = 0;
        for (; i <= count - V.Count; i += V.Count) V.Store(TOp.Lanes(V.Load(x + i)), y + i);
        for (; i < count; i++) Lane1.Store(TOp.Lanes(Lane1.Load(x + i)), y + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Binary<V, TOp>(float* a, float* b, float* y, int count)
        where V : unmanaged, ILanes<V> where TOp : struct, IBinaryOperator
    {
        var i = 0;
        for (; i <= count - V.Count; i += V.Count) V.Store(TOp.Lanes(V.Load(a + i), V.Load(b + i)), y + i);
        for (; i < count; i++) Lane1.Store(TOp.Lanes(Lane1.Load(a + i), Lane1.Load(b + i)), y + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void BinaryScalar<V, TOp>(float* a, float b, float* y, int count)
        where V : unmanaged, ILanes<V> where TOp : struct, IBinaryOperator
    {
        var i = 0;
        var wide = V.Create(b);
        for (; i <= count - V.Count; i += V.Count) V.Store(TOp.Lanes(V.Load(a + i), wide), y + i);
        for (; i < count; i++) Lane1.Store(TOp.Lanes(Lane1.Load(a + i), Lane1.Create(b)), y + i);
    }
}
