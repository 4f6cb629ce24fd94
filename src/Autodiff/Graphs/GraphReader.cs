using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;

namespace Convoy.Autodiff.Graphs;

/// <summary>
/// Reads what a stranger sent: every count is bounded before it is believed, every read is inside the bytes.
/// </summary>
internal ref struct GraphReader(ReadOnlySpan<byte> bytes)
{
    internal const int TextBytesMax = 512;
    private const int LongTextBytesMax = 1 << 20;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    public readonly bool AtEnd => _at == _bytes.Length;

    public readonly GraphFormatException Wrong(string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"graph, offset {_at}: {what}"));

    public ReadOnlySpan<byte> Raw(int count)
    {
        if (count > _bytes.Length - _at) throw Wrong("ends too early");
        _at += count;
        return _bytes.Slice(_at - count, count);
    }

    public byte Byte() => Raw(1)[0];

    public int Count(int most)
    {
        var value = Unsigned();
        if (value > (ulong)most) throw Wrong($"a count of {value} is above the limit of {most}");
        return (int)value;
    }

    public string Text() => Text(Count(TextBytesMax));

    // Only what is too long for a text is one, so that equal attributes are equal bytes.
    private string LongText()
    {
        var count = Count(LongTextBytesMax);
        return count > TextBytesMax ? Text(count) : throw Wrong($"a long text has {count} bytes only");
    }

    private string Text(int count)
    {
        var text = Raw(count);
        try
        {
            return StrictUtf8.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            throw Wrong("a text is not UTF-8");
        }
    }

    public ValueRef Reference() => new(Count(Limits.GraphNodesMax), Count(16));

    public (string Name, object Value) Attribute()
    {
        var name = Text();
        if (name.Length == 0) throw Wrong("an attribute has no name");
        var kind = Byte();
        return (name, kind switch
        {
            1 => Signed(),
            2 => BinaryPrimitives.ReadDoubleLittleEndian(Raw(8)),
            3 => Text(),
            4 => List(),
            5 => Dims(),
            6 => LongText(),
            _ => throw Wrong($"attribute {name} is of the unknown kind {kind}"),
        });
    }

    private int[] List()
    {
        var list = new int[Count(64)];
        for (var i = 0; i < list.Length; i++) list[i] = Int();
        return list;
    }

    private Dim[] Dims()
    {
        var dims = new Dim[Count(Limits.TensorRankMax)];
        for (var i = 0; i < dims.Length; i++)
        {
            var size = Int();
            var flag = Byte();
            if (flag == 2 && size == 0)
            {
                var text = Text();
                dims[i] = DimFormula.Parse(text)?.ToDim() is { HasNames: true } named ? named
                    : throw Wrong($"\"{text}\" is not a size with names");
                continue;
            }

            if (size < 0 || flag > 1) throw Wrong("a dimension is negative or has an unknown mark");
            dims[i] = new Dim(size, flag == 1);
        }

        return dims;
    }

    private int Int()
    {
        var value = Signed();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw Wrong($"{value} is too large");
    }

    private long Signed()
    {
        var value = Unsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private ulong Unsigned()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Byte();
            if (shift == 63 && part > 1) break;
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }

        throw Wrong("a number has more than 64 bits");
    }
}
