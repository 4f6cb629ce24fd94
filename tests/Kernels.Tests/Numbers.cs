namespace Convoy.Kernels.Tests;

/// <summary>Test data from a small seeded generator: the same on every run and machine.</summary>
internal sealed class Numbers(uint seed)
{
    private uint _state = (seed * 2_654_435_761u) | 1;

    public uint Next()
    {
        _state ^= _state << 13;
        _state ^= _state >> 17;
        _state ^= _state << 5;
        return _state;
    }

    public int Int(int from, int end) => from + (int)(Next() % (uint)(end - from));

    public float Float() => (Next() / 2147483648f) - 1f;

    public float[] Floats(int count)
    {
        var x = new float[count];
        for (var i = 0; i < count; i++) x[i] = Float();
        return x;
    }

    /// <summary>Mostly ordinary numbers, with zeros of both signs, denormals, huge numbers, infinities and
    /// NaN.</summary>
    public float[] Odd(int count)
    {
        ReadOnlySpan<float> odd =
        [
            0f, -0f, 1e-45f, -1e-42f, 1e-38f, 3e38f, -3e38f, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
        ];
        var x = Floats(count);
        for (var i = 0; i < count; i++)
            if (Next() % 8 == 0) x[i] = odd[Int(0, odd.Length)];
        return x;
    }

    /// <summary>A share of slices with random numbers of rows, some of them empty.</summary>
    public int[] RowStarts(int slices, int rowsMax)
    {
        var starts = new int[slices + 1];
        for (var i = 0; i < slices; i++)
            starts[i + 1] = starts[i] + (Next() % 4 == 0 ? 0 : Int(0, rowsMax + 1));
        return starts;
    }
}
