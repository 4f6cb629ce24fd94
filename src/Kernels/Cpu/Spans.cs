using System.Runtime.InteropServices;

namespace Convoy.Kernels.Cpu;

/// <summary>Reads a generic span as float32 where the caller has just tested the type.</summary>
internal static class Spans
{
    public static ReadOnlySpan<float> AsFloat<T>(this ReadOnlySpan<T> x) where T : unmanaged =>
        MemoryMarshal.Cast<T, float>(x);

    public static Span<float> AsFloat<T>(this Span<T> x) where T : unmanaged => MemoryMarshal.Cast<T, float>(x);
}
