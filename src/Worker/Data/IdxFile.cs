using System.Buffers.Binary;

namespace Convoy.Worker.Data;

/// <summary>
/// IDX, the format of MNIST, big endian:
/// <code>
/// 0  zero (2)   2  element type (1)   3  number of dimensions d (1)
/// 4  sizes of the dimensions (4 each)
/// 4 + 4d  elements, row-major
/// </code>
/// </summary>
internal static class IdxFile
{
    public static ArrayFile Open(string file, DataCache cache)
    {
        var view = ArrayFile.OpenView(file, cache);
        try
        {
            return Read(file, view).Checked();
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    private static ArrayFile Read(string file, DataView view)
    {
        if (view.Length < 4) throw BadData.Byte(file, view.Length, "the file ends inside the IDX header");
        var magic = view.Slice(0, 4);
        if (magic[0] != 0 || magic[1] != 0)
            throw BadData.Byte(file, 0,
                $"this is not IDX: it begins with {Convert.ToHexStringLower(magic)}, not with 0000");
        ElementType? type = magic[2] switch
        {
            0x08 => ElementType.UInt8,
            0x09 => ElementType.Int8,
            0x0B => ElementType.Int16,
            0x0C => ElementType.Int32,
            0x0D => ElementType.Float32,
            0x0E => ElementType.Float64,
            _ => null,
        };
        if (type is null) throw BadData.Byte(file, 2, $"element type 0x{magic[2]:x2} is not one of IDX");
        var rank = magic[3];
        if (rank is 0 or > 8) throw BadData.Byte(file, 3, $"{rank} dimensions; 1 to 8 are read");
        var header = 4 + (4 * rank);
        if (view.Length < header)
            throw BadData.Byte(file, view.Length, $"the file ends inside the IDX header of {header} bytes");
        var shape = new long[rank];
        for (var i = 0; i < rank; i++) shape[i] = BinaryPrimitives.ReadUInt32BigEndian(view.Slice(4 + (4 * i), 4));
        return new ArrayFile(file, view, new Elements(type.Value, IsBigEndian: true), shape, header);
    }
}
