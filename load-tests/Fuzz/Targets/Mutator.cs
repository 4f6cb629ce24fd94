using System.Buffers.Binary;

namespace Convoy.Fuzz.Targets;

/// <summary>
/// Seeded damage to valid bytes. Input number i of a seed depends on the two alone, so any input can be made again
/// without those before it. Works in one buffer: the fuzzer itself must not be what allocates.
/// </summary>
internal sealed class Mutator(byte[][] corpus)
{
    private static readonly uint[] Interesting =
        [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 0xFFFFFF, 0x1000000, 0x7FFFFFFF,
            0x80000000, 0xFFFFFFFF];

    private readonly byte[] _buffer = new byte[2 * corpus.Max(c => c.Length) + 256];
    private ulong _state;
    private int _length;

    /// <summary>Largest input that can come out.</summary>
    public int LengthMax => _buffer.Length;

    public ReadOnlySpan<byte> Make(ulong seed, long index)
    {
        _state = (seed * 0x9E3779B97F4A7C15) ^ ((ulong)index * 0xD1B54A32D192ED03);
        var from = corpus[Below(corpus.Length)];
        from.CopyTo(_buffer, 0);
        _length = from.Length;
        // One in sixteen stays whole: the good path must be reached, and survive, too.
        for (var times = Below(16) == 0 ? 0 : 1 + Below(5); times > 0; times--) Damage();
        return _buffer.AsSpan(0, _length);
    }

    private void Damage()
    {
        if (_length == 0) _buffer[_length++] = 0;
        var at = Below(_length);
        switch (Below(9))
        {
            case 0: _buffer[at] ^= (byte)(1 << Below(8)); break;
            case 1: _buffer[at] = (byte)Next(); break;
            case 2: _length = at; break;
            case 3: Number(at, Interesting[Below(Interesting.Length)]); break;
            case 4: Number(0, (uint)Next()); break; // length fields stand in front
            case 5: Insert(at, 1 + Below(32)); break;
            case 6: Remove(at, 1 + Below(16)); break;
            case 7: Splice(at); break;
            default: _buffer.AsSpan(at, Math.Min(_length - at, 1 + Below(16))).Fill((byte)(Below(2) * 0xFF)); break;
        }
    }

    private void Number(int at, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        var count = Math.Min(1 << Below(3), _length - at);
        bytes[..count].CopyTo(_buffer.AsSpan(at));
    }

    private void Insert(int at, int count)
    {
        count = Math.Min(count, _buffer.Length - _length);
        _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + count));
        for (var i = 0; i < count; i++) _buffer[at + i] = (byte)Next();
        _length += count;
    }

    private void Remove(int at, int count)
    {
        count = Math.Min(count, _length - at);
        _buffer.AsSpan(at + count, _length - at - count).CopyTo(_buffer.AsSpan(at));
        _length -= count;
    }

    private void Splice(int at)
    {
        var other = corpus[Below(corpus.Length)];
        if (other.Length == 0) return;
        var begin = Below(other.Length);
        var count = Math.Min(other.Length - begin, _buffer.Length - at);
        other.AsSpan(begin, count).CopyTo(_buffer.AsSpan(at));
        _length = Math.Max(_length, at + count);
    }

    private int Below(int bound) => (int)((Next() >> 33) % (ulong)bound);

    // SplitMix64 (Steele, Lea, Flood 2014): every state gives the next, and any state is a good one.
    private ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
