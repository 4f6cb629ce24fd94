using System.Runtime.CompilerServices;
using static System.BitConverter;

namespace Convoy.Kernels.Cpu.Lanes;

/// <summary>One lane: the reference of every float32 formula, the tails of the wide ones, and the portable
/// path.</summary>
internal unsafe struct Lane1(float value) : ILanes<Lane1>
{
    public float V = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lane1 Bits(int bits) => new(Int32BitsToSingle(bits));
    private int AsInt => SingleToInt32Bits(V);

    public static int Count => 1;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Create(float value) => new(value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 CreateInt(int value) => Bits(value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Load(float* source) => new(*source);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lane1 value, float* destination) => *destination = value.V;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stream(Lane1 value, float* destination) => Store(value, destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 operator +(Lane1 a, Lane1 b) => new(a.V + b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 operator -(Lane1 a, Lane1 b) => new(a.V - b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 operator *(Lane1 a, Lane1 b) => new(a.V * b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 operator /(Lane1 a, Lane1 b) => new(a.V / b.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 operator &(Lane1 a, Lane1 b) => Bits(a.AsInt & b.AsInt);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 operator |(Lane1 a, Lane1 b) => Bits(a.AsInt | b.AsInt);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 operator ^(Lane1 a, Lane1 b) => Bits(a.AsInt ^ b.AsInt);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Fma(Lane1 a, Lane1 b, Lane1 c) => new(MathF.FusedMultiplyAdd(a.V, b.V, c.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Lane1 a, Lane1 b, ref Lane1 sum) =>
        sum.V = MathF.FusedMultiplyAdd(a.V, b.V, sum.V);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Sqrt(Lane1 a) => new(MathF.Sqrt(a.V));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Greater(Lane1 a, Lane1 b) => Bits(a.V > b.V ? -1 : 0);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Equal(Lane1 a, Lane1 b) => Bits(a.V == b.V ? -1 : 0);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Select(Lane1 mask, Lane1 a, Lane1 b) => Bits((mask.AsInt & a.AsInt) | (~mask.AsInt & b.AsInt));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Lesser(Lane1 a, Lane1 b) => a.V < b.V ? a : b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Larger(Lane1 a, Lane1 b) => a.V > b.V ? a : b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 AddInt(Lane1 a, Lane1 b) => Bits(unchecked(a.AsInt + b.AsInt));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 SubtractInt(Lane1 a, Lane1 b) => Bits(unchecked(a.AsInt - b.AsInt));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 ShiftLeft(Lane1 a, int bits) => Bits(a.AsInt << bits);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 ShiftRight(Lane1 a, int bits) => Bits(a.AsInt >> bits);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 IntToFloat(Lane1 a) => new(a.AsInt);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane1 Eighth(Lane1 index) => Bits(Eighths.All[index.AsInt & 7]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lane1(float value) => new(value);
}
