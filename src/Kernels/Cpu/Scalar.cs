using System.Numerics;
using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Operators;

namespace Convoy.Kernels.Cpu;

/// <summary>
/// Elementary functions of one element, for the generic reference kernels: float32 uses the shared formulas (so the
/// reference has the bits of the vector paths), every other type the functions of the framework.
/// </summary>
internal static class Scalar<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private static Lane1 In(T x) => new(Unsafe.BitCast<T, float>(x));
    private static T Out(Lane1 x) => Unsafe.BitCast<float, T>(x.V);

    public static T Exp(T x) => Apply<Exp>(x);
    public static T Log(T x) => Apply<Log>(x);

    public static T Apply<TOp>(T x) where TOp : struct, IUnaryOperator =>
        typeof(T) == typeof(float) ? Out(TOp.Lanes(In(x))) : T.CreateTruncating(TOp.Double(double.CreateTruncating(x)));

    public static T Apply<TOp>(T x, T y) where TOp : struct, IBinaryOperator =>
        typeof(T) == typeof(float) ? Out(TOp.Lanes(In(x), In(y)))
        : T.CreateTruncating(TOp.Double(double.CreateTruncating(x), double.CreateTruncating(y)));

    public static T Activate(T x, Activation activation) => activation switch
    {
        Activation.None => x,
        Activation.Relu => Apply<Relu>(x),
        Activation.Gelu => Apply<Gelu>(x),
        Activation.Tanh => Apply<Tanh>(x),
        Activation.Sigmoid => Apply<Sigmoid>(x),
        _ => throw Convoy.Shared.Invariant.Unhandled(activation),
    };
}
