using Convoy.Shared;

namespace Convoy.Worker.Collectives;

/// <summary>A range of the flat gradient that travels as one frame per tree node: the unit of all exchange.</summary>
internal readonly record struct ExchangeBlock(int Bucket, int Owner, long Offset, int Length);

/// <summary>
/// How the flat gradient is cut. Buckets go from its end to its start, because backward finishes the last layers first.
/// A bucket is cut in one chunk for each member, a chunk in blocks that fit one frame. All borders are multiples of
/// <see cref="Limits.NormBlock"/>, so that norms and fingerprints never see a cut. Cuts never change bits: every
/// element is summed by itself, over slices, by the one tree.
/// </summary>
internal sealed class ExchangeLayout
{
    /// <summary>Elements of one frame: 4 MB of float32.</summary>
    public const int BlockElementsMax = 1 << 20;

    private readonly int[] _firstBlock;   // of bucket b and owner o at b * members + o; one more at the end
    private readonly long[] _bucketStart; // falls with the number; one more in front of it is Elements

    public ExchangeLayout(long elements, int members, int bucketBytes, int blockElementsMax = BlockElementsMax)
    {
        Invariant.Check(elements > 0 && members > 0, "XCH-1 there is something to exchange, and somebody to do it");
        Invariant.Check(blockElementsMax % Limits.NormBlock == 0, "XCH-1 frames end on norm blocks");
        Elements = elements;
        Members = members;
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

    public int Buckets { get; }

    public int BlockElements { get; }

    /// <summary>By bucket, then by owner, then by offset.</summary>
    public ExchangeBlock[] Blocks { get; }

    public (long From, long End) BucketRange(int bucket) => (_bucketStart[bucket + 1], _bucketStart[bucket]);

    /// <summary>The blocks of one chunk are [from, end) of <see cref="Blocks"/>.</summary>
    public (int From, int End) BlocksOf(int bucket, int owner)
    {
        var at = (bucket * Members) + owner;
        return (_firstBlock[at], _firstBlock[at + 1]);
    }

    /// <summary>The block with this name on the wire; -1: there is none.</summary>
    public int Find(int bucket, int chunk, long offset, int payloadBytes)
    {
        if ((uint)bucket >= (uint)Buckets || (uint)chunk >= (uint)Members) return -1;
        var (from, end) = BlocksOf(bucket, chunk);
        for (var i = from; i < end; i++)
            if (Blocks[i].Offset == offset)
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
            var chunkFrom = from + (normBlocks * owner / Members * Limits.NormBlock);
            var chunkEnd = Math.Min(end, from + (normBlocks * (owner + 1) / Members * Limits.NormBlock));
            for (var at = chunkFrom; at < chunkEnd; at += blockElementsMax)
                blocks.Add(new(bucket, owner, at, (int)Math.Min(blockElementsMax, chunkEnd - at)));
        }
    }
}
