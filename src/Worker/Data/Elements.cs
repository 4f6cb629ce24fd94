using System.Buffers.Binary;

namespace Convoy.Worker.Data;

internal enum ElementType
{
    UInt8,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
}

/// <summary>Numbers as they lie in array files.</summary>
internal readonly record struct Elements(ElementType Type, bool IsBigEndian)
{
    public int Size => Type switch
    {
        ElementType.UInt8 or ElementType.Int8 => 1,
        ElementType.Int16 => 2,
        ElementType.Int32 or ElementType.Float32 => 4,
        _ => 8,
    };

    public bool IsFloat => Type is ElementType.Float32 or ElementType.Float64;

    public double Double(ReadOnlySpan<byte> at) => Type switch
    {
        ElementType.Float32 => IsBigEndian ? BinaryPrimitives.ReadSingleBigEndian(at)
            : BinaryPrimitives.ReadSingleLittleEndian(at),
        ElementType.Float64 => IsBigEndian ? BinaryPrimitives.ReadDoubleBigEndian(at)
            : BinaryPrimitives.ReadDoubleLittleEndian(at),
        _ => Whole(at),
    };

    public long Whole(ReadOnlySpan<byte> at) => Type switch
    {
        ElementType.UInt8 => at[0],
        ElementType.Int8 => (sbyte)at[0],
        ElementType.Int16 => IsBigEndian ? BinaryPrimitives.ReadInt16BigEndian(at)
            : BinaryPrimitives.ReadInt16LittleEndian(at),
        ElementType.Int32 => IsBigEndian ? BinaryPrimitives.ReadInt32BigEndian(at)
            : BinaryPrimitives.ReadInt32LittleEndian(at),
        _ => IsBigEndian ? BinaryPrimitives.ReadInt64BigEndian(at) : BinaryPrimitives.ReadInt64LittleEndian(at),
    };

    /// <summary>Elements of a row, multiplied in float64 and rounded once.</summary>
    public void ReadScaled(ReadOnlySpan<byte> row, double scale, Span<float> to)
    {
        if (Type == ElementType.UInt8)
        {
            for (var i = 0; i < row.Length; i++) to[i] = (float)(row[i] * scale);
            return;
        }

        var size = Size;
        for (var i = 0; i < row.Length / size; i++) to[i] = (float)(Double(row[(i * size)..]) * scale);
    }
}
