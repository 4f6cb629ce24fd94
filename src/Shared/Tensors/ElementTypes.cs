using System.Collections.Immutable;

namespace Convoy.Shared.Tensors;

/// <summary>One element type, and how other formats call it.</summary>
/// <param name="Type">Its number goes over the wire and into checkpoints.</param>
/// <param name="Bytes">In memory; a bool is one byte, 0 or 1.</param>
/// <param name="Safetensors">Name in safetensors files.</param>
/// <param name="Onnx">TensorProto.DataType of ONNX.</param>
/// <param name="Arrow">Format string of the Arrow C data interface. Arrow packs bools into bits, so they need a
/// copy.</param>
/// <param name="DlpackCode">DLDataTypeCode of DLPack, the exchange with foreign functions; its bits are 8 times the
/// bytes.</param>
public sealed record ElementType(
    DType Type, string Name, int Bytes, string Safetensors, int Onnx, string Arrow, int DlpackCode)
{
    public bool IsFloat => Type is DType.Float32 or DType.Float64;

    public bool IsInteger => !IsFloat && Type != DType.Bool;
}

/// <summary>The table of element types: the one place where their ids in other formats stand.</summary>
public static class ElementTypes
{
    public static readonly ImmutableArray<ElementType> All =
    [
        new(DType.Float32, "float32", 4, "F32", 1, "f", 2),
        new(DType.Float64, "float64", 8, "F64", 11, "g", 2),
        new(DType.Int32, "int32", 4, "I32", 6, "i", 0),
        new(DType.Int64, "int64", 8, "I64", 7, "l", 0),
        new(DType.UInt8, "uint8", 1, "U8", 2, "C", 1),
        new(DType.UInt32, "uint32", 4, "U32", 12, "I", 1),
        new(DType.UInt64, "uint64", 8, "U64", 13, "L", 1),
        new(DType.Bool, "bool", 1, "BOOL", 9, "b", 6),
    ];

    public static ElementType Of(DType type) => Find(t => t.Type == type) ?? throw Invariant.Unhandled(type);

    public static ElementType? Find(Func<ElementType, bool> wanted)
    {
        foreach (var type in All)
            if (wanted(type)) return type;
        return null;
    }
}
