namespace Convoy.Shared.Protocol;

/// <summary>
/// How a copied state is cut in frames: vector after vector, at least sixteen of the weights where these are long
/// enough, so that donors share them, and none larger than 1 MB.
/// </summary>
public sealed class SnapshotFrames
{
    private const int FramesMin = 16;
    private readonly long[] _lengths;
    private readonly int[] _first; // frame of each vector, and the number of all frames

    /// <param name="lengths">Elements of each vector; the weights are the first.</param>
    public SnapshotFrames(IEnumerable<long> lengths)
    {
        _lengths = [.. lengths];
        Elements = _lengths.Sum();
        var blocks = (_lengths[0] + (FramesMin * Limits.NormBlock) - 1) / (FramesMin * Limits.NormBlock);
        FrameElements = (int)Math.Min(FeedHeader.ElementsMax, Math.Max(1, blocks) * Limits.NormBlock);
        _first = new int[_lengths.Length + 1];
        for (var v = 0; v < _lengths.Length; v++)
            _first[v + 1] = checked(_first[v] + (int)((_lengths[v] + FrameElements - 1) / FrameElements));
    }

    public int Vectors => _lengths.Length;

    /// <summary>Of all vectors together.</summary>
    public long Elements { get; }

    /// <summary>Of every frame but the last of a vector.</summary>
    public int FrameElements { get; }

    public int Count => _first[^1];

    public long Bytes => Elements * sizeof(float);

    /// <summary>Where a frame belongs: its vector, first element and number of elements.</summary>
    public (int Vector, long Offset, int Length) At(int frame)
    {
        var vector = 0;
        while (frame >= _first[vector + 1]) vector++;
        var offset = (frame - _first[vector]) * (long)FrameElements;
        return (vector, offset, (int)Math.Min(FrameElements, _lengths[vector] - offset));
    }

    /// <summary>The frame with this place; -1: there is none.</summary>
    public int Find(int vector, long offset, int bytes)
    {
        if ((uint)vector >= (uint)Vectors || offset < 0 || offset >= _lengths[vector] || offset % FrameElements != 0)
            return -1;
        var frame = _first[vector] + (int)(offset / FrameElements);
        return At(frame).Length * sizeof(float) == bytes ? frame : -1;
    }
}
