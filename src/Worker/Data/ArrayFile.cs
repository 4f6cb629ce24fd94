using System.IO.Compression;

namespace Convoy.Worker.Data;

/// <summary>An array in a file: what its header says and where its data begins.</summary>
internal sealed record ArrayFile(string File, DataView View, Elements Elements, IReadOnlyList<long> Shape,
    long DataOffset) : IDisposable
{
    /// <summary>Samples: the first dimension.</summary>
    public long Count => Shape[0];

    public long Length => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Bytes of one entry along the first dimension.</summary>
    public int RowBytes => checked((int)(Length / Math.Max(1, Count) * Elements.Size));

    public ReadOnlySpan<byte> Row(long index) => View.Slice(DataOffset + (index * RowBytes), RowBytes);

    /// <summary>Checks what the header promises against the size of the file, and that rows are not
    /// monstrous.</summary>
    public ArrayFile Checked()
    {
        Int128 bytes = Elements.Size;
        foreach (var size in Shape)
        {
            bytes *= size;
            if (bytes > long.MaxValue) throw BadData.Byte(File, 0, $"the shape [{Show}] is impossible");
        }

        if (Shape.Count == 0 || bytes == 0) throw BadData.Byte(File, 0, $"the array [{Show}] is empty");
        var there = View.Length - DataOffset;
        if (there < bytes)
            throw BadData.Byte(File, View.Length,
                $"the file is truncated: [{Show}] needs {bytes} bytes after the header of {DataOffset}, {there} are "
                + "there");
        if (there > bytes)
            throw BadData.Byte(File, DataOffset + (long)bytes,
                $"{there - bytes} bytes follow the array [{Show}]; the file is not what its header says");
        return bytes / Shape[0] <= int.MaxValue ? this
            : throw BadData.Byte(File, 0, $"one sample of [{Show}] is larger than 2 GB");
    }

    private string Show => string.Join(", ", Shape);

    public void Dispose() => View.Dispose();

    /// <summary>The bytes of a file, unpacked where it is gzip (whatever its name says).</summary>
    public static DataView OpenView(string file, DataCache cache)
    {
        if (UnpackedSize(file) is not { } unpacked) return DataView.Map(file);
        return cache.Get("gzip-1", [file], unpacked, to =>
        {
            using var from = new GZipStream(BadData.Open(file), CompressionMode.Decompress);
            try
            {
                from.CopyTo(to);
            }
            catch (InvalidDataException e)
            {
                throw BadData.File(file,
                    $"the gzip data is damaged or truncated ({e.Message.TrimEnd('.')}); get the file again");
            }

            // A file that lost only its last bytes unpacks without a complaint.
            if ((uint)to.Position != unpacked)
                throw BadData.File(file,
                    $"the gzip data is truncated: {to.Position} bytes came out, its end says {unpacked}; get the "
                    + "file again");
        });
    }

    /// <summary>What the end of a gzip file says of its content (modulo 2^32); null where it is not gzip.</summary>
    private static long? UnpackedSize(string file)
    {
        using var stream = BadData.Open(file);
        if (stream.ReadByte() != 0x1F || stream.ReadByte() != 0x8B || stream.Length < 18) return null;
        Span<byte> size = stackalloc byte[4];
        stream.Position = stream.Length - 4;
        stream.ReadExactly(size);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(size);
    }
}
