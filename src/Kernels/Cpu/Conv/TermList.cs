namespace Convoy.Kernels.Cpu.Conv;

/// <summary>
/// Terms of a correlation in ascending order: where each lies behind its pixel, which weight it has, and where the
/// blocks of K-2 end.
/// </summary>
internal readonly unsafe struct TermList
{
    private readonly int* _ends;

    private TermList(int* memory, int capacity)
    {
        Offsets = memory;
        Weights = memory + capacity;
        _ends = memory + (2 * capacity);
    }

    public int* Offsets { get; }

    /// <summary>Place of each term's weight among all terms.</summary>
    public int* Weights { get; }
    public int Count { get; private init; }
    public int Blocks { get; private init; }

    /// <summary>Integers that a list over so many terms takes.</summary>
    public static int Size(int terms) => checked((2 * terms) + ((terms + Order.Block - 1) / Order.Block));

    /// <summary>Range of a block in the list. No block is empty.</summary>
    public (int From, int Count) Block(int block)
    {
        var from = block == 0 ? 0 : _ends[block - 1];
        return (from, _ends[block] - from);
    }

    /// <summary>All terms of the forward pass: channel, kernel row, kernel column.</summary>
    public static TermList OfForward(in PaddedImage image, in Conv2dShape s, int* memory)
    {
        var list = new TermList(memory, s.Terms);
        var count = 0;
        for (var c = 0; c < s.CInGroup; c++)
            for (var kh = 0; kh < s.Kh; kh++)
                for (var kw = 0; kw < s.Kw; kw++)
                {
                    list.Weights[count] = count;
                    list.Offsets[count++] =
                        image.Place(c, (s.Dilation * kh) - s.Padding, (s.Dilation * kw) - s.Padding);
                }

        return Ended(list, count);
    }

    /// <summary>
    /// The terms (output channel, kernel row, kernel column) of those pixels of dx whose row and column have these
    /// remainders by the stride. The others are zeros for all of them: dy has no pixel there.
    /// </summary>
    public static TermList OfPhase(in PaddedImage image, in Conv2dShape s, int phaseH, int phaseW, int* memory)
    {
        var list = new TermList(memory, s.COutGroup * s.Kh * s.Kw);
        var (count, term) = (0, 0);
        for (var c = 0; c < s.COutGroup; c++)
            for (var kh = 0; kh < s.Kh; kh++)
                for (var kw = 0; kw < s.Kw; kw++, term++)
                {
                    var (h, w) = (phaseH + s.Padding - (s.Dilation * kh), phaseW + s.Padding - (s.Dilation * kw));
                    if (h % s.Stride != 0 || w % s.Stride != 0) continue;
                    list.Weights[count] = term;
                    list.Offsets[count++] = image.Place(c, h / s.Stride, w / s.Stride);
                }

        return Ended(list, count);
    }

    private static TermList Ended(TermList list, int count)
    {
        var blocks = 0;
        for (var t = 1; t <= count; t++)
        {
            if (t == count || list.Weights[t] / Order.Block != list.Weights[t - 1] / Order.Block)
                list._ends[blocks++] = t;
        }

        return list with { Count = count, Blocks = blocks };
    }
}
