using System.Text.Json;
using Convoy.Shared.Tensors;

namespace Convoy.Shared.Checkpoints;

/// <summary>Where a tensor lies in a safetensors file; offsets count from the end of the header.</summary>
public sealed record TensorEntry(string Name, DType DType, Shape Shape, long From, long End)
{
    public long Bytes => End - From;
}

/// <summary>
/// The safetensors format, which other tools read too:
/// <code>
/// 0  length of the header (8, little endian)
/// 8  header: JSON { "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] }, "__metadata__": { .. } }
/// .. data: tensors side by side, row-major, little endian, no holes
/// </code>
/// </summary>
public sealed record SafetensorsHeader(
    IReadOnlyList<TensorEntry> Tensors, IReadOnlyDictionary<string, string> Metadata, long DataOffset, long DataBytes)
{
    public const long HeaderBytesMax = 64L << 20;
    public const int TensorsMax = 1_000_000;
    private const int NameCharsMax = 1_024;
    private const string MetadataKey = "__metadata__";

    /// <summary>Name of an element type in the format.</summary>
    public static string NameOf(DType type) => ElementTypes.Of(type).Safetensors;

    /// <summary>The bytes before the data: length and header, padded with spaces so that the data is aligned to
    /// 8.</summary>
    public static byte[] Encode(IReadOnlyList<(string Name, DType DType, Shape Shape)> tensors,
        IReadOnlyList<(string Key, string Value)> metadata)
    {
        using var stream = new MemoryStream();
        stream.Write(new byte[8]);
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }

            var offset = 0L;
            foreach (var (name, type, shape) in tensors) offset = WriteEntry(json, name, type, shape, offset);
            json.WriteEndObject();
        }

        while (stream.Length % 8 != 0) stream.WriteByte((byte)' ');
        var bytes = stream.ToArray();
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        return bytes;
    }

    private static long WriteEntry(Utf8JsonWriter json, string name, DType type, Shape shape, long offset)
    {
        Invariant.Check(name.Length is > 0 and <= NameCharsMax
            && name != MetadataKey, "SAFE-1 a tensor has a name of its own");
        var end = checked(offset + (shape.Count * type.Size()));
        json.WriteStartObject(name);
        json.WriteString("dtype", NameOf(type));
        json.WriteStartArray("shape");
        foreach (var size in shape.Dims) json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
        return end;
    }

    /// <summary>
    /// Reads and checks the header of a file: sizes before anything is allocated, then names, types, shapes, and that
    /// the tensors lie side by side and fill the file.
    /// </summary>
    public static SafetensorsHeader Read(Stream stream, string file)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
            throw Damage.At(file, stream.Length, "the file ends before the length of its header");
        var length = System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length is < 2 or > HeaderBytesMax)
            throw Damage.At(file, 0, $"a header of {length} bytes is impossible (2 to {HeaderBytesMax})");
        if (length > stream.Length - 8)
            throw Damage.At(file, 0, $"a header of {length} bytes does not fit in a file of {stream.Length}");

        var json = new byte[length];
        stream.ReadExactly(json);
        return Parse(json, file, 8 + length, stream.Length - 8 - length);
    }

    private static SafetensorsHeader Parse(byte[] json, string file, long dataOffset, long dataBytes)
    {
        try
        {
            using var document = JsonDocument.Parse(json,
                new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            var tensors = new List<TensorEntry>();
            var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name == MetadataKey)
                    foreach (var pair in property.Value.EnumerateObject())
                        metadata.Add(pair.Name, pair.Value.GetString() ?? "");
                else tensors.Add(ReadEntry(property, file));
                if (tensors.Count > TensorsMax) throw Damage.At(file, 8, $"more than {TensorsMax} tensors");
            }

            tensors.Sort((a, b) => a.From != b.From ? a.From.CompareTo(b.From) : a.End.CompareTo(b.End));
            CheckLayout(tensors, file, dataOffset, dataBytes);
            return new SafetensorsHeader(tensors, metadata, dataOffset, dataBytes);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Damage.At(file, 8,
                $"the header is not that of a safetensors file: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static TensorEntry ReadEntry(JsonProperty property, string file)
    {
        UserException Bad(string why) =>
            Damage.Tensor(file, property.Name.Length > 80 ? property.Name[..80] : property.Name, why);
        if (property.Name.Length is 0 or > NameCharsMax) throw Bad("the name is empty or too long");
        var (type, shape, offsets) = ((string?)null, (JsonElement?)null, (JsonElement?)null);
        foreach (var field in property.Value.EnumerateObject())
        {
            if (field.NameEquals("dtype")) type = field.Value.GetString();
            else if (field.NameEquals("shape")) shape = field.Value;
            else if (field.NameEquals("data_offsets")) offsets = field.Value;
            else throw Bad($"unknown field {field.Name}");
        }

        var known = ElementTypes.Find(row => row.Safetensors == type)
            ?? throw Bad($"element type {type ?? "none"} is not read here "
            + $"({string.Join(", ", ElementTypes.All.Select(row => row.Safetensors))})");
        if (shape is not { } dims || dims.GetArrayLength() > Limits.TensorRankMax)
            throw Bad($"it has no shape or more than {Limits.TensorRankMax} dimensions");
        if (offsets is not { } range || range.GetArrayLength() != 2) throw Bad("it has no data_offsets");

        var bytes = (Int128)known.Bytes;
        foreach (var dim in dims.EnumerateArray())
        {
            if (!dim.TryGetInt32(out var size) || size < 0) throw Bad("a dimension is not a whole number from 0");
            bytes *= size;
            if (bytes > long.MaxValue) throw Bad("it is too large");
        }

        if (!range[0].TryGetInt64(out var from) || !range[1].TryGetInt64(out var end) || from < 0 || end < from)
            throw Bad("its data_offsets are not a range");
        if (bytes != end - from) throw Bad($"its shape needs {bytes} bytes, its range has {end - from}");
        return new TensorEntry(property.Name, known.Type,
            new Shape([.. dims.EnumerateArray().Select(d => d.GetInt32())]), from, end);
    }

    private static void CheckLayout(List<TensorEntry> tensors, string file, long dataOffset, long dataBytes)
    {
        var expected = 0L;
        foreach (var tensor in tensors)
        {
            if (tensor.End > dataBytes)
                throw Damage.Tensor(file, tensor.Name,
                $"it ends at byte {dataOffset + tensor.End} of a file of {dataOffset + dataBytes}");
            if (tensor.From < expected) throw Damage.Tensor(file, tensor.Name, "it overlaps the tensor before it");
            if (tensor.From > expected) throw Damage.Tensor(file, tensor.Name, "there is a hole before it");
            expected = tensor.End;
        }

        if (expected != dataBytes)
            throw Damage.At(file, dataOffset + expected, $"{dataBytes - expected} bytes belong to no tensor");
    }
}

/// <summary>Refusals of damaged checkpoints: one line with file, place and reason.</summary>
internal static class Damage
{
    private const string Advice = "use another checkpoint (convoy ckpt ls)";

    public static UserException At(string file, long offset, string reason) =>
        Because(file, $"byte {offset}: {reason}");

    public static UserException Tensor(string file, string tensor, string reason) =>
        Because(file, $"tensor {tensor}: {reason}");

    public static UserException Because(string file, string reason) =>
        new(ExitCode.BadCheckpoint, $"{file}: {reason}; {Advice}");
}
