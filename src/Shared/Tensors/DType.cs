using Convoy.Shared.Errors;

namespace Convoy.Shared.Tensors;

/// <summary>Element types. The numbers are part of the wire and checkpoint formats.</summary>
public enum DType
{
    Float32 = 1,
    Float64 = 2,
    Int32 = 3,
    Int64 = 4,
    UInt8 = 5,
    UInt32 = 6,
    UInt64 = 7,
    /// <summary>One byte, 0 or 1.</summary>
    Bool = 8,
}

public static class DTypes
{
    public static int Size(this DType type) => type switch
    {
        DType.Float32 or DType.Int32 or DType.UInt32 => 4,
        DType.Float64 or DType.Int64 or DType.UInt64 => 8,
        DType.UInt8 or DType.Bool => 1,
        _ => throw Invariant.Unhandled(type),
    };

    public static DType Of<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? DType.Float32
        : typeof(T) == typeof(double) ? DType.Float64
        : typeof(T) == typeof(int) ? DType.Int32
        : typeof(T) == typeof(long) ? DType.Int64
        : typeof(T) == typeof(byte) ? DType.UInt8
        : typeof(T) == typeof(uint) ? DType.UInt32
        : typeof(T) == typeof(ulong) ? DType.UInt64
        : typeof(T) == typeof(bool) ? DType.Bool
        : throw new ShapeException($"{typeof(T).Name} is not an element type of tensors", ErrorCode.ElementType);
}
