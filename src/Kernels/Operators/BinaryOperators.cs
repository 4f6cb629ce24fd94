using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu;

namespace Convoy.Kernels.Operators;

/// <summary>x + y.</summary>
public readonly struct Add : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        x + y;

    public static double Double(double x, double y) => x + y;
}

/// <summary>x - y.</summary>
public readonly struct Subtract : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        x - y;

    public static double Double(double x, double y) => x - y;
}

/// <summary>x·y.</summary>
public readonly struct Multiply : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        x * y;

    public static double Double(double x, double y) => x * y;
}

/// <summary>x / y.</summary>
public readonly struct Divide : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        x / y;

    public static double Double(double x, double y) => x / y;
}

/// <summary>The larger; y when they are equal; NaN when either is, the first of both.</summary>
public readonly struct Maximum : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        V.Select(V.Equal(x, x), V.Select(V.Greater(x, y), x, y), x);

    public static double Double(double x, double y) => double.IsNaN(x) || x > y ? x : y;
}

/// <summary>The smaller; y when they are equal; NaN when either is, the first of both.</summary>
public readonly struct Minimum : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        V.Select(V.Equal(x, x), V.Select(V.Greater(y, x), x, y), x);

    public static double Double(double x, double y) => double.IsNaN(x) || x < y ? x : y;
}

/// <summary>Gradient of ReLU: x is dy, y is the output (or the input) of ReLU; a NaN passes dy on.</summary>
public readonly struct ReluGrad : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        V.Select(V.Equal(V.Larger(V.Create(0f), y), V.Create(0f)), V.Create(0f), x);

    public static double Double(double x, double y) => y <= 0 ? 0 : x;
}

/// <summary>Gradient of GELU: x is dy, y is the input of GELU.</summary>
public readonly struct GeluGrad : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        x * FloatMath.GeluSlope(y);

    public static double Double(double x, double y) => x * DoubleMath.GeluSlope(y);
}

/// <summary>Gradient of tanh: x is dy, y is the output of tanh.</summary>
public readonly struct TanhGrad : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        x * (V.Create(1f) - (y * y));

    public static double Double(double x, double y) => x * (1 - (y * y));
}

/// <summary>Gradient of the sigmoid: x is dy, y is its output.</summary>
public readonly struct SigmoidGrad : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        x * (y * (V.Create(1f) - y));

    public static double Double(double x, double y) => x * (y * (1 - y));
}

/// <summary>1 where x > y, else 0.</summary>
public readonly struct GreaterMask : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        V.Greater(x, y) & V.Create(1f);

    public static double Double(double x, double y) => x > y ? 1 : 0;
}

/// <summary>1 where x = y, else 0.</summary>
public readonly struct EqualMask : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> =>
        V.Equal(x, y) & V.Create(1f);

    public static double Double(double x, double y) => x == y ? 1 : 0;
}
