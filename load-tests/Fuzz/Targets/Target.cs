namespace Convoy.Fuzz.Targets;

/// <summary>One reader of a peer's bytes, with valid bytes to begin from.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Corpus">Valid inputs.</param>
/// <param name="Read">Reads an input as the product does; true when it was accepted. Whatever it throws is a
/// finding.</param>
internal sealed record Target(string Name, byte[][] Corpus, TargetRead Read)
{
    /// <summary>Relative share of inputs: slow readers get fewer.</summary>
    public int Share { get; init; } = 100;
}

internal delegate bool TargetRead(ReadOnlySpan<byte> input);

/// <summary>What the product did wrong with one input.</summary>
internal sealed record Finding(string Target, ulong Seed, long Index, string What, string InputHex)
{
    public override string ToString() => $"{Target}: input {Index} of seed {Seed}: {What}; bytes {InputHex}";
}
