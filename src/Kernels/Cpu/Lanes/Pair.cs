using System.Runtime.CompilerServices;

namespace Convoy.Kernels.Cpu.Lanes;

/// <summary>
/// Two registers as one: a long formula is then computed for both at a time. One chain of an exponential is 45 cycles
/// long and the scheduler of a core holds three of them, so that one after the other they leave the units idle half of
/// the time. Every lane gets the operations that it gets in one register, so the bits are the same.
/// </summary>
internal unsafe struct Pair<V>(V low, V high) : ILanes<Pair<V>> where V : unmanaged, ILanes<V>
{
    public V Low = low;
    public V High = high;

    public static int Count => 2 * V.Count;
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Create(float value) => new(V.Create(value), V.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> CreateInt(int value) => new(V.CreateInt(value), V.CreateInt(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Load(float* source) => new(V.Load(source), V.Load(source + V.Count));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Pair<V> value, float* destination)
    {
        V.Store(value.Low, destination);
        V.Store(value.High, destination + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stream(Pair<V> value, float* destination)
    {
        V.Stream(value.Low, destination);
        V.Stream(value.High, destination + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> operator +(Pair<V> a, Pair<V> b) => new(a.Low + b.Low, a.High + b.High);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> operator -(Pair<V> a, Pair<V> b) => new(a.Low - b.Low, a.High - b.High);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> operator *(Pair<V> a, Pair<V> b) => new(a.Low * b.Low, a.High * b.High);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> operator /(Pair<V> a, Pair<V> b) => new(a.Low / b.Low, a.High / b.High);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> operator &(Pair<V> a, Pair<V> b) => new(a.Low & b.Low, a.High & b.High);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> operator |(Pair<V> a, Pair<V> b) => new(a.Low | b.Low, a.High | b.High);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> operator ^(Pair<V> a, Pair<V> b) => new(a.Low ^ b.Low, a.High ^ b.High);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Fma(Pair<V> a, Pair<V> b, Pair<V> c) =>
        new(V.Fma(a.Low, b.Low, c.Low), V.Fma(a.High, b.High, c.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Pair<V> a, Pair<V> b, ref Pair<V> sum)
    {
        V.AddProduct(a.Low, b.Low, ref sum.Low);
        V.AddProduct(a.High, b.High, ref sum.High);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Sqrt(Pair<V> a) => new(V.Sqrt(a.Low), V.Sqrt(a.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Greater(Pair<V> a, Pair<V> b) =>
        new(V.Greater(a.Low, b.Low), V.Greater(a.High, b.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Equal(Pair<V> a, Pair<V> b) =>
        new(V.Equal(a.Low, b.Low), V.Equal(a.High, b.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Select(Pair<V> mask, Pair<V> a, Pair<V> b) =>
        new(V.Select(mask.Low, a.Low, b.Low), V.Select(mask.High, a.High, b.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Lesser(Pair<V> a, Pair<V> b) =>
        new(V.Lesser(a.Low, b.Low), V.Lesser(a.High, b.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Larger(Pair<V> a, Pair<V> b) =>
        new(V.Larger(a.Low, b.Low), V.Larger(a.High, b.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> AddInt(Pair<V> a, Pair<V> b) =>
        new(V.AddInt(a.Low, b.Low), V.AddInt(a.High, b.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> SubtractInt(Pair<V> a, Pair<V> b) =>
        new(V.SubtractInt(a.Low, b.Low), V.SubtractInt(a.High, b.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> ShiftLeft(Pair<V> a, int bits) => new(V.ShiftLeft(a.Low, bits), V.ShiftLeft(a.High, bits));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> ShiftRight(Pair<V> a, int bits) => new(V.ShiftRight(a.Low, bits), V.ShiftRight(a.High, bits));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> IntToFloat(Pair<V> a) => new(V.IntToFloat(a.Low), V.IntToFloat(a.High));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<V> Eighth(Pair<V> index) => new(V.Eighth(index.Low), V.Eighth(index.High));
}
