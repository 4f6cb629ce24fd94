namespace Convoy.Kernels.Cpu.Conv;

/// <summary>
/// Which pixels of a result have a term inside of the source, for each place of the kernel: all ones or all zeros for
/// each pixel. With them a source needs nothing around it: what lies behind the end of a row, the beginning of the next
/// one, is masked, and masked it is the zero of the padding.
/// </summary>
internal readonly unsafe struct EdgeMasks
{
    private readonly float* _first;
    private readonly int _places;
    private readonly int _pixels;

    private EdgeMasks(float* first, int places, int pixels)
    {
        _first = first;
        (_places, _pixels) = (places, pixels);
    }

    public bool IsNone => _first is null;

    /// <summary>Of the forward pass, or of the input gradient, where the kernel is mirrored. The result has the size of
    /// the source, and <paramref name="memory"/> room for a float for each pixel and place of the kernel.</summary>
    public static EdgeMasks Of(in Conv2dShape s, bool mirrored, float* memory)
    {
        var to = (int*)memory;
        for (var kh = 0; kh < s.Kh; kh++)
            for (var kw = 0; kw < s.Kw; kw++)
            {
                var (down, right) = ((s.Dilation * kh) - s.Padding, (s.Dilation * kw) - s.Padding);
                if (mirrored) (down, right) = (-down, -right);
                for (var h = 0; h < s.H; h++)
                    for (var w = 0; w < s.W; w++)
                        *to++ = (uint)(h + down) < (uint)s.H && (uint)(w + right) < (uint)s.W ? -1 : 0;
            }

        return new EdgeMasks(memory, s.Kh * s.Kw, s.H * s.W);
    }

    /// <summary>Masks of the terms from this one on, for the pixels from <paramref name="at"/> on.</summary>
    public Circle From(int term, int at)
    {
        if (IsNone) return default;
        var first = _first + at;
        return new Circle(
            first + ((nint)(term % _places) * _pixels), first, first + ((nint)(_places - 1) * _pixels), _pixels);
    }

    /// <summary>Where the mask of a first term lies, that of the first place, that of the last, and how far one is from
    /// the next: terms go through the places of the kernel again and again.</summary>
    internal readonly struct Circle(float* now, float* first, float* end, nint step)
    {
        public readonly float* Now = now;
        public readonly float* First = first;
        public readonly float* End = end;
        public readonly nint Step = step;
    }
}
