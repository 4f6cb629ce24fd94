using System.Runtime.InteropServices;

namespace Convoy.Kernels;

/// <summary>
/// A number that one thread writes while others look at it, on a cache line that holds nothing else: 64 bytes before it
/// and 60 behind, wherever the object around it begins.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct PaddedInt
{
    [FieldOffset(64)]
    public int Value;
}
