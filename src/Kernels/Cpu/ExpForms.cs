using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Rows;

namespace Convoy.Kernels.Cpu;

/// <summary>A function with one exponential inside: what comes before it, and what after.</summary>
internal interface IExpForm
{
    /// <summary>The exponent has so many constants that it is computed before, for a block.</summary>
    static abstract bool IsLong { get; }

    /// <summary>The result is made of x as well.</summary>
    static abstract bool TakesX { get; }

    static abstract V Exponent<V>(V x) where V : unmanaged, ILanes<V>;
    static abstract V Result<V>(V x, V power) where V : unmanaged, ILanes<V>;

    /// <summary>As in <see cref="IExpTerm"/>; a form whose exponents are never far returns what it got.</summary>
    static abstract V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V>;
}

/// <summary>e^x.</summary>
internal readonly struct ExpForm : IExpForm
{
    public static bool IsLong => false;
    public static bool TakesX => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exponent<V>(V x) where V : unmanaged, ILanes<V> => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Result<V>(V x, V power) where V : unmanaged, ILanes<V> => power;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => Exponentials.Reach(reach, exponent);
}

/// <summary>1 / (1 + e^-x).</summary>
internal readonly struct SigmoidForm : IExpForm
{
    public static bool IsLong => false;
    public static bool TakesX => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exponent<V>(V x) where V : unmanaged, ILanes<V> => V.Create(0f) - x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Result<V>(V x, V power) where V : unmanaged, ILanes<V> => FloatMath.SigmoidOf(power);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => Exponentials.Reach(reach, exponent);
}

/// <summary>x·sigmoid(x).</summary>
internal readonly struct SiluForm : IExpForm
{
    public static bool IsLong => false;
    public static bool TakesX => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exponent<V>(V x) where V : unmanaged, ILanes<V> => V.Create(0f) - x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Result<V>(V x, V power) where V : unmanaged, ILanes<V> => x * FloatMath.SigmoidOf(power);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => Exponentials.Reach(reach, exponent);
}

/// <summary>x·Φ(x).</summary>
internal readonly struct GeluForm : IExpForm
{
    public static bool IsLong => true;
    public static bool TakesX => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exponent<V>(V x) where V : unmanaged, ILanes<V> => FloatMath.GeluExponent(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Result<V>(V x, V power) where V : unmanaged, ILanes<V> => FloatMath.GeluOf(x, power);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => reach;
}

/// <summary>Hyperbolic tangent.</summary>
internal readonly struct TanhForm : IExpForm
{
    public static bool IsLong => false;
    public static bool TakesX => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exponent<V>(V x) where V : unmanaged, ILanes<V> => FloatMath.TanhExponent(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Result<V>(V x, V power) where V : unmanaged, ILanes<V> => FloatMath.TanhOf(x, power);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => reach;
}
