using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Convoy.Kernels.Cpu.Lanes;

/// <summary>Four lanes: NEON, and x64 without AVX2.</summary>
internal unsafe struct Lane4(Vector128<float> value) : ILanes<Lane4>
{
    public Vector128<float> V = value;

    public static int Count => Vector128<float>.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Create(float value) => new(Vector128.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 CreateInt(int value) => new(Vector128.Create(value).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Load(float* source) => new(Vector128.Load(source));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lane4 value, float* destination) => Vector128.Store(value.V, destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stream(Lane4 value, float* destination) =>
        Vector128.StoreAlignedNonTemporal(value.V, destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 operator +(Lane4 a, Lane4 b) => new(a.V + b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 operator -(Lane4 a, Lane4 b) => new(a.V - b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 operator *(Lane4 a, Lane4 b) => new(a.V * b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 operator /(Lane4 a, Lane4 b) => new(a.V / b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 operator &(Lane4 a, Lane4 b) => new(a.V & b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 operator |(Lane4 a, Lane4 b) => new(a.V | b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 operator ^(Lane4 a, Lane4 b) => new(a.V ^ b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Fma(Lane4 a, Lane4 b, Lane4 c) => new(Vector128.FusedMultiplyAdd(a.V, b.V, c.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Lane4 a, Lane4 b, ref Lane4 sum) =>
        sum.V = Vector128.FusedMultiplyAdd(a.V, b.V, sum.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Sqrt(Lane4 a) => new(Vector128.Sqrt(a.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Greater(Lane4 a, Lane4 b) => new(Vector128.GreaterThan(a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Equal(Lane4 a, Lane4 b) => new(Vector128.Equals(a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Select(Lane4 mask, Lane4 a, Lane4 b) =>
        Sse41.IsSupported ? new(Sse41.BlendVariable(b.V, a.V, mask.V))
        : new(Vector128.ConditionalSelect(mask.V, a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Lesser(Lane4 a, Lane4 b) =>
        Sse.IsSupported ? new(Sse.Min(a.V, b.V))
        : new(Vector128.ConditionalSelect(Vector128.LessThan(a.V, b.V), a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Larger(Lane4 a, Lane4 b) =>
        Sse.IsSupported ? new(Sse.Max(a.V, b.V))
        : new(Vector128.ConditionalSelect(Vector128.GreaterThan(a.V, b.V), a.V, b.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 AddInt(Lane4 a, Lane4 b) => new((a.V.AsInt32() + b.V.AsInt32()).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 SubtractInt(Lane4 a, Lane4 b) => new((a.V.AsInt32() - b.V.AsInt32()).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 ShiftLeft(Lane4 a, int bits) => new((a.V.AsInt32() << bits).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 ShiftRight(Lane4 a, int bits) => new((a.V.AsInt32() >> bits).AsSingle());
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 IntToFloat(Lane4 a) => new(Vector128.ConvertToSingle(a.V.AsInt32()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane4 Eighth(Lane4 index)
    {
        var place = index.V.AsInt32() & Vector128.Create(7);
        if (!AdvSimd.Arm64.IsSupported) return new(Lane8.Eighth(new(place.ToVector256().AsSingle())).V.GetLower());
        // By bytes there: 4·place, and the four bytes of an entry.
        var bytes = (place * 0x04040404) + Vector128.Create(0x03020100);
        var low = Vector128.Create(Eighths.E0, Eighths.E1, Eighths.E2, Eighths.E3).AsByte();
        var high = Vector128.Create(Eighths.E4, Eighths.E5, Eighths.E6, Eighths.E7).AsByte();
        return new(AdvSimd.Arm64.VectorTableLookup((low, high), bytes.AsByte()).AsSingle());
    }
}
