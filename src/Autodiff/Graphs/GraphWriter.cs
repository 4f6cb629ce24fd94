using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;

namespace Convoy.Autodiff.Graphs;

internal sealed class GraphWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(4_096);

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    public void Raw(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    public void Byte(byte value) => _bytes.Write([value]);

    public void Count(int value) => Unsigned((ulong)value);

    public void Text(string text)
    {
        Count(Encoding.UTF8.GetByteCount(text));
        _bytes.Write(Encoding.UTF8.GetBytes(text));
    }

    public void Reference(ValueRef reference)
    {
        Count(reference.Node);
        Count(reference.Output);
    }

    public void Attribute(string name, object value)
    {
        Text(name);
        switch (value)
        {
            case long number: Byte(1); Signed(number); break;
            case double number: Byte(2); Double(number); break;
            case string text:
                Byte(Encoding.UTF8.GetByteCount(text) > GraphReader.TextBytesMax ? (byte)6 : (byte)3);
                Text(text);
                break;
            case ImmutableArray<int> list: Byte(4); List(list); break;
            case ImmutableArray<Dim> dims: Byte(5); Dims(dims); break;
            default: throw Invariant.Unhandled(value);
        }
    }

    private void List(ImmutableArray<int> list)
    {
        Count(list.Length);
        foreach (var number in list) Signed(number);
    }

    private void Dims(ImmutableArray<Dim> dims)
    {
        Count(dims.Length);
        foreach (var dim in dims)
        {
            if (dim.HasNames)
            {
                Signed(0);
                Byte(2);
                Text($"{dim}");
                continue;
            }

            Signed(dim.Size);
            Byte(dim.PerSample ? (byte)1 : (byte)0);
        }
    }

    private void Double(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
    }

    private void Signed(long value) => Unsigned(unchecked((ulong)((value << 1) ^ (value >> 63))));

    private void Unsigned(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }
}
