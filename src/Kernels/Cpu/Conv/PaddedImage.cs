using System.Runtime.CompilerServices;

namespace Convoy.Kernels.Cpu.Conv;

// A group's channels of one sample with everything around them that the kernel touches, so that the place of a term is
// the place of the pixel plus an offset that depends on the term only. The forward pass looks at x with its padding.
// The input gradient looks at dy, spread by the stride and padded so that the mirrored kernel stays inside: then
// both are the same correlation. Behind the last channel lie some floats more, because panels are read in whole
// registers.
internal readonly unsafe struct PaddedImage
{
    private readonly int _channels;
    private readonly int _sourceH;
    private readonly int _sourceW;
    private readonly int _spread;
    private readonly int _top;
    private readonly int _left;

    public const int Slack = 64;

    public readonly int Height;
    public readonly int Width;

    private PaddedImage(int channels, int sourceH, int sourceW, int spread, int top, int left, int height, int width)
    {
        (_channels, _sourceH, _sourceW, _spread, _top, _left) = (channels, sourceH, sourceW, spread, top, left);
        (Height, Width) = (height, width);
    }

    public static PaddedImage OfInput(in Conv2dShape s) => new(
        s.CInGroup, s.H, s.W, 1, s.Padding, s.Padding, s.H + (2 * s.Padding), s.W + (2 * s.Padding));

    public static PaddedImage OfGradient(in Conv2dShape s)
    {
        var (reachH, reachW) = (s.Dilation * (s.Kh - 1), s.Dilation * (s.Kw - 1));
        return new PaddedImage(
            s.COutGroup, s.OutH, s.OutW, s.Stride, reachH - s.Padding, reachW - s.Padding, s.H + reachH, s.W + reachW);
    }

    /// <summary>Floats of one image.</summary>
    public int Size => checked(_channels * Height * Width);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(float* source, float* image)
    {
        new Span<float>(image, Size).Clear();
        for (var c = 0; c < _channels; c++, source += _sourceH * _sourceW, image += Height * Width)
        {
            for (var h = 0; h < _sourceH; h++)
            {
                var row = (h * _spread) + _top;
                if (row < 0 || row >= Height) continue;
                Row(source + (h * _sourceW), image + ((nint)row * Width));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row(float* source, float* row)
    {
        // Gradients may fall outside when the padding is wider than the kernel reaches.
        for (var w = 0; w < _sourceW; w++)
        {
            var column = (w * _spread) + _left;
            if ((uint)column < (uint)Width) row[column] = source[w];
        }
    }

    /// <summary>Offset of each term (channel, kernel row, kernel column ascending) behind its pixel.</summary>
    public void Offsets(in Conv2dShape s, bool mirrored, int* offsets)
    {
        for (var c = 0; c < _channels; c++)
            for (var kh = 0; kh < s.Kh; kh++)
                for (var kw = 0; kw < s.Kw; kw++)
                {
                    var h = s.Dilation * (mirrored ? s.Kh - 1 - kh : kh);
                    var w = s.Dilation * (mirrored ? s.Kw - 1 - kw : kw);
                    *offsets++ = (((c * Height) + h) * Width) + w;
                }
    }
}
