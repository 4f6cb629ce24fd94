using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Convoy.Kernels.Cpu.Lanes;

/// <summary>Sixteen lanes: AVX-512.</summary>
internal unsafe struct Lane16(Vector512<float> value) : ILanes<Lane16>
{
    public Vector512<float> V = value;

    public static int Count => Vector512<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Create(float value) => new(Vector512.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 CreateInt(int value) => new(Vector512.Create(value).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Load(float* source) => new(Vector512.Load(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lane16 value, float* destination) => Vector512.Store(value.V, destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stream(Lane16 value, float* destination) =>
        Vector512.StoreAlignedNonTemporal(value.V, destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 operator +(Lane16 a, Lane16 b) => new(a.V + b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 operator -(Lane16 a, Lane16 b) => new(a.V - b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 operator *(Lane16 a, Lane16 b) => new(a.V * b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 operator /(Lane16 a, Lane16 b) => new(a.V / b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 operator &(Lane16 a, Lane16 b) => new(a.V & b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 operator |(Lane16 a, Lane16 b) => new(a.V | b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 operator ^(Lane16 a, Lane16 b) => new(a.V ^ b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Fma(Lane16 a, Lane16 b, Lane16 c) => new(Vector512.FusedMultiplyAdd(a.V, b.V, c.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Lane16 a, Lane16 b, ref Lane16 sum) =>
        sum.V = Vector512.FusedMultiplyAdd(a.V, b.V, sum.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Sqrt(Lane16 a) => new(Vector512.Sqrt(a.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Greater(Lane16 a, Lane16 b) => new(Vector512.GreaterThan(a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Equal(Lane16 a, Lane16 b) => new(Vector512.Equals(a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Select(Lane16 mask, Lane16 a, Lane16 b) => new(Vector512.ConditionalSelect(mask.V, a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Lesser(Lane16 a, Lane16 b) =>
        Avx512F.IsSupported ? new(Avx512F.Min(a.V, b.V))
        : new(Vector512.ConditionalSelect(Vector512.LessThan(a.V, b.V), a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Larger(Lane16 a, Lane16 b) =>
        Avx512F.IsSupported ? new(Avx512F.Max(a.V, b.V))
        : new(Vector512.ConditionalSelect(Vector512.GreaterThan(a.V, b.V), a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 AddInt(Lane16 a, Lane16 b) => new((a.V.AsInt32() + b.V.AsInt32()).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 SubtractInt(Lane16 a, Lane16 b) => new((a.V.AsInt32() - b.V.AsInt32()).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 ShiftLeft(Lane16 a, int bits) => new((a.V.AsInt32() << bits).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 ShiftRight(Lane16 a, int bits) => new((a.V.AsInt32() >> bits).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 IntToFloat(Lane16 a) => new(Vector512.ConvertToSingle(a.V.AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane16 Eighth(Lane16 index)
    {
        if (!Avx512F.IsSupported)
        {
            return new(Vector512.Create(
                Lane8.Eighth(new(index.V.GetLower())).V, Lane8.Eighth(new(index.V.GetUpper())).V));
        }

        // Eight entries twice: the fourth bit of an index does not matter then.
        var all = Vector512.Create(
            Eighths.E0, Eighths.E1, Eighths.E2, Eighths.E3, Eighths.E4, Eighths.E5, Eighths.E6, Eighths.E7,
            Eighths.E0, Eighths.E1, Eighths.E2, Eighths.E3, Eighths.E4, Eighths.E5, Eighths.E6, Eighths.E7);
        return new(Avx512F.PermuteVar16x32(all, index.V.AsInt32()).AsSingle());
    }
}
