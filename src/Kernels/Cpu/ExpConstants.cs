using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Convoy.Kernels.Cpu;

/// <summary>
/// The constants of an exponential that a long loop keeps in registers. A core loads two registers a cycle: with a
/// constant from memory in each operation, a loop waits for its loads. The compiler knows the literal ones and leaves
/// them in memory; what comes through a pointer it cannot know.
/// </summary>
internal readonly unsafe struct ExpConstants<V> where V : unmanaged, ILanes<V>
{
    /// <summary>1.5·2^23: rounds what is added to it to an integer.</summary>
    public const float Rounder = 12582912f;
    private const float PerUnit = 11.5415602f;          // 8 / ln 2
    private const float Eighth = -0.0866433978f;        // -ln 2 / 8
    private const float Sixth = 0.1666686f;
    private const float Half = 0.5000645f;
    private const float Rest = 2.38081777e-10f;         // what MinusEighth lacks

    public readonly V EighthsPerUnit;
    public readonly V Round;
    public readonly V MinusEighth;
    public readonly V Cubic;
    public readonly V Square;
    public readonly V Lacking;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ExpConstants(V perUnit, V round, V minusEighth, V cubic, V square, V lacking) =>
        (EighthsPerUnit, Round, MinusEighth, Cubic, Square, Lacking) =
        (perUnit, round, minusEighth, cubic, square, lacking);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ExpConstants<V> Literal(float rounder) =>
        new(V.Create(PerUnit), V.Create(rounder), V.Create(Eighth), V.Create(Sixth), V.Create(Half),
            V.Create(Rest));

    /// <summary>From <see cref="Address"/>, in a method that does not know that address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ExpConstants<V> Load(float* address) =>
        new(V.Create(address[0]), V.Create(address[1]), V.Create(address[2]), V.Create(address[3]),
            V.Create(address[4]), V.Create(address[5]));

    public static float* Address => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Values));

    private static ReadOnlySpan<float> Values => [PerUnit, Rounder, Eighth, Sixth, Half, Rest];
}
