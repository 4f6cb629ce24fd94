using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Convoy.Kernels.Cpu.Lanes;

/// <summary>Eight lanes: AVX2 with FMA.</summary>
internal unsafe struct Lane8(Vector256<float> value) : ILanes<Lane8>
{
    public Vector256<float> V = value;

    public static int Count => Vector256<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Create(float value) => new(Vector256.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 CreateInt(int value) => new(Vector256.Create(value).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Load(float* source) => new(Vector256.Load(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lane8 value, float* destination) => Vector256.Store(value.V, destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stream(Lane8 value, float* destination) =>
        Vector256.StoreAlignedNonTemporal(value.V, destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 operator +(Lane8 a, Lane8 b) => new(a.V + b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 operator -(Lane8 a, Lane8 b) => new(a.V - b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 operator *(Lane8 a, Lane8 b) => new(a.V * b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 operator /(Lane8 a, Lane8 b) => new(a.V / b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 operator &(Lane8 a, Lane8 b) => new(a.V & b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 operator |(Lane8 a, Lane8 b) => new(a.V | b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 operator ^(Lane8 a, Lane8 b) => new(a.V ^ b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Fma(Lane8 a, Lane8 b, Lane8 c) => new(Vector256.FusedMultiplyAdd(a.V, b.V, c.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Lane8 a, Lane8 b, ref Lane8 sum) =>
        sum.V = Vector256.FusedMultiplyAdd(a.V, b.V, sum.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Sqrt(Lane8 a) => new(Vector256.Sqrt(a.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Greater(Lane8 a, Lane8 b) => new(Vector256.GreaterThan(a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Equal(Lane8 a, Lane8 b) => new(Vector256.Equals(a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Select(Lane8 mask, Lane8 a, Lane8 b) =>
        Avx.IsSupported ? new(Avx.BlendVariable(b.V, a.V, mask.V))
        : new(Vector256.ConditionalSelect(mask.V, a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Lesser(Lane8 a, Lane8 b) =>
        Avx.IsSupported ? new(Avx.Min(a.V, b.V))
        : new(Vector256.ConditionalSelect(Vector256.LessThan(a.V, b.V), a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Larger(Lane8 a, Lane8 b) =>
        Avx.IsSupported ? new(Avx.Max(a.V, b.V))
        : new(Vector256.ConditionalSelect(Vector256.GreaterThan(a.V, b.V), a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 AddInt(Lane8 a, Lane8 b) => new((a.V.AsInt32() + b.V.AsInt32()).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 SubtractInt(Lane8 a, Lane8 b) => new((a.V.AsInt32() - b.V.AsInt32()).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 ShiftLeft(Lane8 a, int bits) => new((a.V.AsInt32() << bits).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 ShiftRight(Lane8 a, int bits) => new((a.V.AsInt32() >> bits).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 IntToFloat(Lane8 a) => new(Vector256.ConvertToSingle(a.V.AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane8 Eighth(Lane8 index)
    {
        var all = Vector256.Create(
            Eighths.E0, Eighths.E1, Eighths.E2, Eighths.E3, Eighths.E4, Eighths.E5, Eighths.E6, Eighths.E7);
        return new((Avx2.IsSupported ? Avx2.PermuteVar8x32(all, index.V.AsInt32())
            : Vector256.Shuffle(all, index.V.AsInt32() & Vector256.Create(7))).AsSingle());
    }
}
