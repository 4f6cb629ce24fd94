using System.Runtime.CompilerServices;

namespace Convoy.Kernels.Operators;

// Templates of fused kernels: an operator made of two, which the compiler turns into one loop whose value between them
// stays in a register. Compositions of compositions are operators again. The bits are those of the two kernels one
// after the other: what is in the register is the float32 that would have been stored.

/// <summary>second(first(x)).</summary>
public readonly struct Then<TFirst, TSecond> : IUnaryOperator
    where TFirst : struct, IUnaryOperator where TSecond : struct, IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => TSecond.Lanes(TFirst.Lanes(x));

    public static double Double(double x) => TSecond.Double(TFirst.Double(x));
}

/// <summary>second(first(x, y)).</summary>
public readonly struct BinaryThen<TFirst, TSecond> : IBinaryOperator
    where TFirst : struct, IBinaryOperator where TSecond : struct, IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => TSecond.Lanes(TFirst.Lanes(x, y));

    public static double Double(double x, double y) => TSecond.Double(TFirst.Double(x, y));
}

/// <summary>second(first(x), y).</summary>
public readonly struct ThenLeft<TFirst, TSecond> : IBinaryOperator
    where TFirst : struct, IUnaryOperator where TSecond : struct, IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => TSecond.Lanes(TFirst.Lanes(x), y);

    public static double Double(double x, double y) => TSecond.Double(TFirst.Double(x), y);
}

/// <summary>second(y, first(x)), with x before y.</summary>
public readonly struct ThenRight<TFirst, TSecond> : IBinaryOperator
    where TFirst : struct, IUnaryOperator where TSecond : struct, IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => TSecond.Lanes(y, TFirst.Lanes(x));

    public static double Double(double x, double y) => TSecond.Double(y, TFirst.Double(x));
}
