using Convoy.Shared.Numerics;

namespace Convoy.Shared.Random;

/// <summary>What random numbers are for. Each purpose has its own key, so no two of them share numbers. Never
/// renumbered.</summary>
public enum RandomPurpose
{
    InitialWeights = 1,
    SampleOrder = 2,
    TestSplit = 3,
    TextSampling = 4,
    Mask = 5,
    GradientNoise = 6,
    HessianProbe = 7,
    TestDouble = 8,
}

/// <summary>
/// One stream of random numbers, addressed by element: word i is word (i mod 4) of the Philox block with counter
/// (i / 4, stream). Formulas are part of the format, because initial weights follow from them:
/// <code>
/// uniform(i) = (word(i) >> 8) * 2^-24                                     in [0, 1), exact in float32
/// normal(2j), normal(2j+1) = r cos(2 pi v), r sin(2 pi v)                  Box and Muller
///   with u = (word(2j) + 1) * 2^-32, v = word(2j+1) * 2^-32, r = sqrt(-2 ln u), in float64, rounded once
/// </code>
/// Logarithm, sine and cosine are ours (<see cref="PortableMath"/>), so the bits do not depend on a platform's library.
/// </summary>
public readonly struct RandomStream(ulong seed, RandomPurpose purpose, ulong stream)
{
    private readonly ulong _key = KeyOf(seed, purpose);

    public static ulong KeyOf(ulong seed, RandomPurpose purpose) =>
        Philox4x32.Block(seed, (ulong)purpose, ulong.MaxValue).Low;

    public uint Word(long element) =>
        Philox4x32.Block(_key, (ulong)element >> 2, stream)[(int)(element & 3)];

    public float Uniform(long element) => ToUniform(Word(element));

    /// <summary>Uniform in [0, 1) with 53 random bits, from words 2i and 2i+1.</summary>
    public double UniformDouble(long element)
    {
        var block = Philox4x32.Block(_key, (ulong)element >> 1, stream);
        var bits = (element & 1) == 0 ? block.W0 | ((ulong)block.W1 << 32) : block.W2 | ((ulong)block.W3 << 32);
        return (bits >> 11) * (1.0 / (1UL << 53));
    }

    public float Normal(long element)
    {
        var block = Philox4x32.Block(_key, (ulong)element >> 2, stream);
        var (even, odd) = (element & 2) == 0 ? Pair(block.W0, block.W1) : Pair(block.W2, block.W3);
        return (float)((element & 1) == 0 ? even : odd);
    }

    /// <summary>Elements first, first + 1 … in [low, high): low + (high - low) x uniform, in float32.</summary>
    public void FillUniform(Span<float> to, long first, float low, float high)
    {
        var width = high - low;
        for (var i = 0; i < to.Length; i++) to[i] = low + (width * Uniform(first + i));
    }

    /// <summary>Elements first, first + 1 … of mean 0: deviation x normal, in float64, rounded once.</summary>
    public void FillNormal(Span<float> to, long first, double deviation)
    {
        for (var i = 0; i < to.Length; i++)
        {
            var element = first + i;
            var block = Philox4x32.Block(_key, (ulong)element >> 2, stream);
            var (even, odd) = (element & 2) == 0 ? Pair(block.W0, block.W1) : Pair(block.W2, block.W3);
            to[i] = (float)(deviation * ((element & 1) == 0 ? even : odd));
            // The partner comes from the same pair.
            if ((element & 1) == 0 && i + 1 < to.Length) to[++i] = (float)(deviation * odd);
        }
    }

    private static float ToUniform(uint word) => (word >> 8) * (1f / (1 << 24));

    private static (double Cosine, double Sine) Pair(uint a, uint b)
    {
        var u = (a + 1.0) * (1.0 / 4294967296.0);
        var radius = Math.Sqrt(-2.0 * PortableMath.Log(u));
        var (sine, cosine) = PortableMath.SinCosOfTurn(b);
        return (radius * cosine, radius * sine);
    }
}
