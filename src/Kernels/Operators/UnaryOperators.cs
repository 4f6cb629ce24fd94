using Convoy.Shared.Numerics;
using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu;

namespace Convoy.Kernels.Operators;

/// <summary>-x. A sign flip, so -0 and NaN keep their payload.</summary>
public readonly struct Negate : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        x ^ V.CreateInt(int.MinValue);

    public static double Double(double x) => -x;
}

/// <summary>|x|.</summary>
public readonly struct Abs : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        x & V.CreateInt(int.MaxValue);

    public static double Double(double x) => Math.Abs(x);
}

/// <summary>x².</summary>
public readonly struct Square : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        x * x;

    public static double Double(double x) => x * x;
}

/// <summary>Square root, correctly rounded.</summary>
public readonly struct Sqrt : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        V.Sqrt(x);

    public static double Double(double x) => Math.Sqrt(x);
}

/// <summary>1 / x.</summary>
public readonly struct Reciprocal : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        V.Create(1f) / x;

    public static double Double(double x) => 1 / x;
}

/// <summary>e^x.</summary>
public readonly struct Exp : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        FloatMath.Exp(x);

    public static double Double(double x) => PortableMath.Exp(x);
}

/// <summary>Natural logarithm.</summary>
public readonly struct Log : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        FloatMath.Log(x);

    public static double Double(double x) => PortableMath.Log(x);
}

/// <summary>Hyperbolic tangent.</summary>
public readonly struct Tanh : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        FloatMath.Tanh(x);

    public static double Double(double x) => PortableMath.Tanh(x);
}

/// <summary>Error function.</summary>
public readonly struct Erf : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        FloatMath.Erf(x);

    public static double Double(double x) => DoubleMath.Erf(x);
}

/// <summary>1 / (1 + e^-x).</summary>
public readonly struct Sigmoid : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        FloatMath.Sigmoid(x);

    public static double Double(double x) => 1 / (1 + PortableMath.Exp(-x));
}

/// <summary>x·Φ(x), the exact form.</summary>
public readonly struct Gelu : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        FloatMath.Gelu(x);

    public static double Double(double x) => DoubleMath.Gelu(x);
}

/// <summary>Derivative of GELU: Φ(x) + x·φ(x).</summary>
public readonly struct GeluSlope : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        FloatMath.GeluSlope(x);

    public static double Double(double x) => DoubleMath.GeluSlope(x);
}

/// <summary>max(x, 0); +0 for -0, NaN stays NaN.</summary>
public readonly struct Relu : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        V.Select(V.Greater(x, V.Create(0f)) | Unordered(x), x, V.Create(0f));

    public static double Double(double x) => x > 0 || double.IsNaN(x) ? x : 0;

    // All ones where x is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Unordered<V>(V x) where V : unmanaged, ILanes<V> =>
        V.Equal(x, x) ^ V.CreateInt(-1);
}

/// <summary>x, for copies and casts to the loops below.</summary>
public readonly struct Identity : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        x;

    public static double Double(double x) => x;
}

/// <summary>x·sigmoid(x).</summary>
public readonly struct Silu : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> =>
        x * FloatMath.Sigmoid(x);

    public static double Double(double x) => x / (1 + PortableMath.Exp(-x));
}
