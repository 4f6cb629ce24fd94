using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Convoy.Kernels.Cpu;

/// <summary>
/// The constants of <see cref="FloatMath.TailExponent{V}(V, in TailConstants{V})"/>: literal, or kept in registers by a
/// long loop, as those of <see cref="ExpConstants{V}"/>.
/// </summary>
internal readonly unsafe struct TailConstants<V> where V : unmanaged, ILanes<V>
{
    private const float PlaceMax = 7f;
    private const float E3 = -3.9992578e-05f;
    private const float E2 = 0.005103729f;
    private const float E1 = -0.31826845f;
    private const float E0 = -0.6931472f;
    private const float O3 = 6.140182e-06f;
    private const float O2 = -0.000282097f;
    private const float O1 = -0.03650571f;
    private const float O0 = -0.79788786f;

    public readonly V Limit, Magnitude, Even3, Even2, Even1, Even0, Odd3, Odd2, Odd1, Odd0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TailConstants(V limit, V magnitude, V e3, V e2, V e1, V e0, V o3, V o2, V o1, V o0) =>
        (Limit, Magnitude, Even3, Even2, Even1, Even0, Odd3, Odd2, Odd1, Odd0) =
        (limit, magnitude, e3, e2, e1, e0, o3, o2, o1, o0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TailConstants<V> Literal() =>
        new(V.Create(PlaceMax), V.CreateInt(int.MaxValue), V.Create(E3), V.Create(E2), V.Create(E1), V.Create(E0),
            V.Create(O3), V.Create(O2), V.Create(O1), V.Create(O0));

    /// <summary>From <see cref="Address"/>, in a method that does not know that address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TailConstants<V> Load(float* address) =>
        new(V.Create(address[0]), V.CreateInt(int.MaxValue), V.Create(address[1]), V.Create(address[2]),
            V.Create(address[3]), V.Create(address[4]), V.Create(address[5]), V.Create(address[6]),
            V.Create(address[7]), V.Create(address[8]));

    public static float* Address => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Values));

    private static ReadOnlySpan<float> Values => [PlaceMax, E3, E2, E1, E0, O3, O2, O1, O0];
}
