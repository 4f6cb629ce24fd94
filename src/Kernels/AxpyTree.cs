using System.Numerics;
using Convoy.Kernels.Operators;

namespace Convoy.Kernels;

/// <summary>The addition of two nodes of a tree of buffers.</summary>
public static class AxpyTree
{
    /// <summary>
    /// destination += source, one rounding per element. Addition commutes, so either child may be the destination.
    /// </summary>
    public static void Add<T>(Span<T> destination, ReadOnlySpan<T> source)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Elementwise.Binary<T, Add>(destination, source, destination);

    /// <summary>destination *= factor.</summary>
    public static void Scale<T>(Span<T> destination, T factor)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Elementwise.BinaryScalar<T, Multiply>(destination, factor, destination);
}
