using Convoy.Shared;

namespace Convoy.Worker.Collectives;

/// <summary>A range of the flat gradient that travels as one frame per tree node: the unit of all exchange.</summary>
internal readonly record struct ExchangeBlock(int Bucket, int Owner, long Offset, int Length)
{
    /// <summary>Owner of a block that every member adds for itself.</summary>
    public const int Everybody = -1;

    public bool IsDirect => Owner == Everybody;

    public bool IsAddedBy(int member) => Owner == member || Owner == Everybody;
}

/// <summary>
/// How the flat gradient is cut. Buckets go from its end to its start, because backward finishes the last layers first.
/// A bucket is cut in one chunk for each member, a chunk in blocks that fit one frame. All borders are multiples of
/// <see cref="Limits.NormBlock"/>, so that norms and fingerprints never see a cut. Cuts never change bits: every
/// element is summed by itself, over slices, by the one tree.
/// A small gradient is not worth two rounds: its partial sums go to everybody, and everybody adds them (direct).
/// </summary>
internal sealed class ExchangeLayout
{
    /// <summary>Elements of one frame: 4 MB of float32.</summary>
    public const int BlockElementsMax = 1 << 20;

    /// <summary>
    /// Bytes that a member may send of a direct gradient; for two members a direct one costs no more anyway.
    /// </summary>
    public const int DirectBytesMax = 256 << 10;

    private readonly int[] _firstBlock;   // of bucket b and owner o at b * members + o; one more at the end
    private readonly long[] _bucketStart; // falls with the number; one more in front of it is Elements

    public ExchangeLayout(long elements, int members, int bucketBytes, int blockElementsMax = BlockElementsMax,
        int directBytesMax = DirectBytesMax)
    {
        Invariant.Check(elements > 0 && members > 0, "XCH-1 there is something to exchange, and somebody to do it");
        Invariant.Check(blockElementsMax % Limits.NormBlock == 0, "XCH-1 frames end on norm blocks");
        Elements = elements;
        Members = members;
        IsDirect = elements * sizeof(float) * (members - 1) <= directBytesMax;
        var normBlocks = (elements + Limits.NormBlock - 1) / Limits.NormBlock;
        var perBucket = Math.Max(1, bucketBytes / sizeof(float) / Limits.NormBlock);
        Buckets = (int)((normBlocks + perBucket - 1) / perBucket);
        _bucketStart = new long[Buckets + 1];
        _bucketStart[0] = elements;
        for (var b = 1; b <= Buckets; b++)
            _bucketStart[b] = Math.Max(0, normBlocks - ((long)b * perBucket)) * Limits.NormBlock;

        _firstBlock = new int[(Buckets * members) + 1];
        var blocks = new List<ExchangeBlock>();
        for (var b = 0; b < Buckets; b++) CutBucket(b, blockElementsMax, blocks);
        _firstBlock[^1] = blocks.Count;
        Blocks = [.. blocks];
        BlockElements = blockElementsMax;
    }

    public long Elements { get; }

    public int Members { get; }

    /// <summary>
    /// Every member adds every block for itself. A member may hold such a step before the others have its part, so what
    /// it sends must outlive the step: it stays as it is until step t+2.
    /// </summary>
    public bool IsDirect { get; }

    public int Buckets { get; }

    public int BlockElements { get; }

    /// <summary>By bucket, then by owner, then by offset.</summary>
    public ExchangeBlock[] Blocks { get; }

    public (long From, long End) BucketRange(int bucket) => (_bucketStart[bucket + 1], _bucketStart[bucket]);

    /// <summary>
    /// The blocks of one chunk are [from, end) of <see cref="Blocks"/>; those of a direct bucket are in place 0.
    /// </summary>
    public (int From, int End) BlocksOf(int bucket, int owner)
    {
        var at = (bucket * Members) + owner;
        return (_firstBlock[at], _firstBlock[at + 1]);
    }

    /// <summary>The block with this name on the wire; -1: there is none.</summary>
    public int Find(int bucket, int chunk, long offset, int payloadBytes)
    {
        if ((uint)bucket >= (uint)Buckets || chunk < ExchangeBlock.Everybody || chunk >= Members) return -1;
        var (from, end) = BlocksOf(bucket, Math.Max(chunk, 0));
        for (var i = from; i < end; i++)
            if (Blocks[i].Offset == offset && Blocks[i].Owner == chunk)
                return Blocks[i].Length * sizeof(float) == payloadBytes ? i : -1;
        return -1;
    }

    private void CutBucket(int bucket, int blockElementsMax, List<ExchangeBlock> blocks)
    {
        var (from, end) = BucketRange(bucket);
        var normBlocks = (end - from + Limits.NormBlock - 1) / Limits.NormBlock;
        for (var owner = 0; owner < Members; owner++)
        {
            _firstBlock[(bucket * Members) + owner] = blocks.Count;
            if (IsDirect && owner > 0) continue;
            var chunkFrom = from + (normBlocks * owner / Members * Limits.NormBlock);
            var chunkEnd = IsDirect
                ? end : Math.Min(end, from + (normBlocks * (owner + 1) / Members * Limits.NormBlock));
            for (var at = chunkFrom; at < chunkEnd; at += blockElementsMax)
                blocks.Add(new(bucket, IsDirect ? ExchangeBlock.Everybody : owner,
                    at, (int)Math.Min(blockElementsMax, chunkEnd - at)));
        }
    }
}
