using Convoy.Shared.Numerics;
using System.Runtime.CompilerServices;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// Element formulas that only operators of this project use, in the form the kernels take: one for float32 registers of
// any width, one for float64.

internal readonly struct OneMinusOperator : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => V.Create(1f) - x;

    public static double Double(double x) => 1 - x;
}

/// <summary>max(x, 0) + ln(1 + e^-|x|), which does not overflow.</summary>
internal readonly struct SoftplusOperator : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V>
    {
        var (zero, one) = (V.Create(0f), V.Create(1f));
        var power = Fn.Exp.Lanes(zero - Fn.Abs.Lanes(x));
        // What 1 + power rounds away, the quotient gives back; below the last place of 1 the power is its own
        // logarithm.
        var sum = one + power;
        var tail = Fn.Log.Lanes(sum) * (power / (sum - one));
        return Fn.Relu.Lanes(x) + V.Select(V.Equal(sum, one), power, tail);
    }

    public static double Double(double x) => Math.Max(x, 0) + PortableMath.LogOnePlus(PortableMath.Exp(-Math.Abs(x)));
}

internal readonly struct MishOperator : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        x * Fn.Tanh.Lanes(SoftplusOperator.Lanes(x));

    public static double Double(double x) => x * PortableMath.Tanh(SoftplusOperator.Double(x));
}

internal readonly struct GeluTanhOperator : IUnaryOperator
{
    private const float Root = 0.7978845608f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V>
    {
        var inner = V.Create(Root) * x * (V.Create(1f) + (V.Create(0.044715f) * x * x));
        return V.Create(0.5f) * x * (V.Create(1f) + Fn.Tanh.Lanes(inner));
    }

    public static double Double(double x) =>
        0.5 * x * (1 + PortableMath.Tanh(Math.Sqrt(2 / Math.PI) * x * (1 + (0.044715 * x * x))));
}

internal readonly struct HardSigmoidOperator : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V>
    {
        var shifted = Fn.Relu.Lanes(x + V.Create(3f));
        return Fn.Minimum.Lanes(shifted, V.Create(6f)) * V.Create(1f / 6);
    }

    public static double Double(double x) => Math.Min(Math.Max(x + 3, 0), 6) / 6;
}

internal readonly struct HardSwishOperator : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => x * HardSigmoidOperator.Lanes(x);

    public static double Double(double x) => x * HardSigmoidOperator.Double(x);
}

internal readonly struct LeakyReluOperator : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        V.Select(V.Greater(x, V.Create(0f)), x, x * y);

    public static double Double(double x, double y) => x > 0 ? x : x * y;
}

internal readonly struct EluOperator : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        V.Select(V.Greater(x, V.Create(0f)), x, y * ExpMinusOne(x));

    // Near 0 the 1 would take the digits with it: x (1 + x/2 (1 + x/3 (...))) to x⁹/9!, which leaves out less than
    // 1e-9 of the result below 1/2.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpMinusOne<V>(V x) where V : unmanaged, ILanes<V>
    {
        var one = V.Create(1f);
        var sum = one;
        for (var k = 9; k > 1; k--) sum = one + (x * V.Create(1f / k) * sum);
        var isSmall = V.Greater(V.Create(0.5f), Fn.Abs.Lanes(x));
        return V.Select(isSmall, x * sum, Fn.Exp.Lanes(x) - one);
    }

    public static double Double(double x, double y) => x > 0 ? x : y * PortableMath.ExpMinusOne(x);
}

/// <summary>x^y: e^(y ln|x|), negative where x is negative and y an odd integer, NaN where y is no integer.</summary>
internal readonly struct PowOperator : IBinaryOperator
{
    // e^(y ln x) in float32 loses as many digits as the result has octaves: 3² would not be 9.
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => Through64.Binary<V, PowOperator>(x, y);

    public static double Double(double x, double y) => PortableMath.Pow(x, y);
}

internal readonly struct LessMask : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => V.Greater(y, x) & V.Create(1f);

    public static double Double(double x, double y) => x < y ? 1 : 0;
}

internal readonly struct LessEqualMask : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        (V.Greater(y, x) | V.Equal(x, y)) & V.Create(1f);

    public static double Double(double x, double y) => x <= y ? 1 : 0;
}

internal readonly struct GreaterEqualMask : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        (V.Greater(x, y) | V.Equal(x, y)) & V.Create(1f);

    public static double Double(double x, double y) => x >= y ? 1 : 0;
}
