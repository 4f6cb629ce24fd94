using System.Runtime.InteropServices;

namespace Convoy.Kernels.OpenCl;

/// <summary>A term of Conv2d.cl: plane of the image, rows down, columns right, place of its weight.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ConvTerm(int Plane, int Down, int Right, int Weight)
{
    /// <summary>Fills up a tile: -0 times +0, which changes no sum.</summary>
    public static readonly ConvTerm Neutral = new(-1, 0, 0, -1);
}

/// <summary>
/// The terms of one kind of sum of a convolution, in ascending order, on the device. Every block of K-2 fills whole
/// tiles; a block without terms is left out.
/// </summary>
internal sealed class ConvTerms(nint terms, nint ends, int tiles, long bytes)
{
    public nint Terms => terms;
    public nint Ends => ends;
    public int Tiles => tiles;

    /// <summary>All terms of a result: channel, kernel row, kernel column.</summary>
    public static ConvTerms OfForward(ClSession session, in Conv2dShape s)
    {
        var list = new List<ConvTerm>();
        for (var c = 0; c < s.CInGroup; c++)
            for (var kh = 0; kh < s.Kh; kh++)
                for (var kw = 0; kw < s.Kw; kw++)
                    list.Add(new ConvTerm(c * s.H * s.W, kh * s.Dilation, kw * s.Dilation, list.Count));
        return Place(session, list, s.Terms);
    }

    /// <summary>
    /// The terms (output channel, kernel row, kernel column) of those elements of dx whose row and column have these
    /// remainders by the stride; where the gradient has no pixel for them, only on demand, as zeros.
    /// </summary>
    public static ConvTerms OfPhase(ClSession session, in Conv2dShape s, int phaseH, int phaseW, bool withZeros)
    {
        var list = new List<ConvTerm>();
        var count = s.COutGroup * s.Kh * s.Kw;
        for (var at = 0; at < count; at++)
        {
            var (c, place) = Math.DivRem(at, s.Kh * s.Kw);
            var (kh, kw) = Math.DivRem(place, s.Kw);
            var (h, w) = (phaseH + s.Padding - (kh * s.Dilation), phaseW + s.Padding - (kw * s.Dilation));
            var isOn = h % s.Stride == 0 && w % s.Stride == 0;
            var weight = (c * s.Terms) + place;
            if (isOn) list.Add(new ConvTerm(c * s.OutH * s.OutW, h / s.Stride, w / s.Stride, weight));
            else list.Add(withZeros ? new ConvTerm(-1, 0, 0, weight) : ConvTerm.Neutral);
        }

        return Place(session, list, count);
    }

    public void Free(ClSession session)
    {
        session.Free(terms, bytes);
        session.Free(ends, tiles * sizeof(int));
    }

    private static unsafe ConvTerms Place(ClSession session, List<ConvTerm> all, int count)
    {
        var (tiled, ends) = (new List<ConvTerm>(), new List<int>());
        for (var from = 0; from < count; from += Order.Block)
        {
            var block = all.GetRange(from, Math.Min(Order.Block, count - from));
            block.RemoveAll(term => term == ConvTerm.Neutral);
            while (block.Count % ConvTiles.Depth != 0) block.Add(ConvTerm.Neutral);
            for (var tile = ConvTiles.Depth; tile <= block.Count; tile += ConvTiles.Depth)
                ends.Add(tile == block.Count ? 1 : 0);
            tiled.AddRange(block);
        }

        var terms = session.Table<ConvTerm>(CollectionsMarshal.AsSpan(tiled));
        return new ConvTerms(terms, session.Table<int>(CollectionsMarshal.AsSpan(ends)), ends.Count,
            (long)tiled.Count * sizeof(ConvTerm));
    }
}
