using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Convoy.Kernels.Cpu.Conv;

// A group's channels of one sample with everything around them that the kernel touches, so that the place of a term is
// the place of the pixel plus an offset that depends on the term only. The forward pass looks at x with its padding.
// The input gradient looks at dy, padded so that the mirrored kernel stays inside; with a stride, the pixels of dx fall
// into phases, and each phase is such a correlation (TermList.OfPhase). Without padding the source itself is the image.
// What lies to the right of a row lies to the left of the next one: both are zeros, so a row has them once. Behind the
// last channel lie some floats more: what is right of its last row, and because panels are read in whole registers.
internal readonly unsafe struct PaddedImage
{
    private readonly int _channels;
    private readonly int _sourceH;
    private readonly int _sourceW;
    private readonly int _top;
    private readonly int _left;
    private readonly int _right;

    public readonly int Height;
    public readonly int Width;

    /// <summary>Floats before the first one that are read, in whole cache lines.</summary>
    public readonly int Lead;

    /// <param name="reach">From the first to the last place of a row that is read.</param>
    private PaddedImage(int channels, int sourceH, int sourceW, int top, int left, int height, int reach)
    {
        (_channels, _sourceH, _sourceW, _top, _left) = (channels, sourceH, sourceW, top, left);
        var right = reach - left - sourceW;
        // Negative: some of the source is not read at all.
        var shared = left >= 0 && right >= 0;
        (_right, Height, Width) = (shared ? right : 0, height, shared ? sourceW + Math.Max(left, right) : reach);
    }

    // The source, and room before and behind it for what a kernel reads there: anything, since masks make zeros of it.
    private PaddedImage(int channels, in Conv2dShape s) : this(channels, s.H, s.W, 0, 0, s.H, s.W) =>
        Lead = ((s.Padding * (s.W + 1)) + Order.Lanes - 1) / Order.Lanes * Order.Lanes;

    /// <param name="bare">Nothing lies around the rows: <see cref="EdgeMasks"/> take its place.</param>
    public static PaddedImage OfInput(in Conv2dShape s, bool bare = false) => bare ? new(s.CInGroup, s) : new(
        s.CInGroup, s.H, s.W, s.Padding, s.Padding, s.H + (2 * s.Padding), s.W + (2 * s.Padding));

    public static PaddedImage OfGradient(in Conv2dShape s, bool bare = false)
    {
        if (bare) return new PaddedImage(s.COutGroup, s);
        var ((lowH, highH), (lowW, highW)) = (Reach(s, s.Kh), Reach(s, s.Kw));
        return new PaddedImage(
            s.COutGroup, s.OutH, s.OutW, -lowH, -lowW, PhaseLength(s.H, 0, s.Stride) + highH - lowH,
            PhaseLength(s.W, 0, s.Stride) + highW - lowW);
    }

    /// <summary>Pixels of dx, along one axis, with remainder <paramref name="phase"/> by the stride.</summary>
    public static int PhaseLength(int size, int phase, int stride) => Math.Max(0, (size - phase + stride - 1) / stride);

    // Bounds of (phase + padding - dilation·k) / stride, the place of dy behind the place in the phase.
    private static (int Low, int High) Reach(in Conv2dShape s, int kernel)
    {
        var low = s.Padding - (s.Dilation * (kernel - 1));
        return (low >= 0 ? low / s.Stride : -((-low + s.Stride - 1) / s.Stride), (s.Stride - 1 + s.Padding) / s.Stride);
    }

    /// <summary>Floats of one image.</summary>
    public int Size => checked((_channels * Height * Width) + _right);

    /// <summary>
    /// Floats of one image with what is read around it: twelve registers and the width of a row behind it, or as much
    /// behind as before it.
    /// </summary>
    public int SizeWithSlack => checked(Size + Math.Max(2 * Lead, (12 * Order.Lanes) + Width));

    /// <summary>The source has nothing around it: it is the image.</summary>
    public bool IsSource => _top == 0 && _left == 0 && _right == 0 && Height == _sourceH && Width == _sourceW;

    /// <summary>Place of a pixel of the source, counted from the image's first.</summary>
    public int Place(int channel, int h, int w) => (((channel * Height) + h + _top) * Width) + w + _left;

    /// <summary>Zeros everywhere: what lies around the source stays so.</summary>
    public void Clear(float* image) => new Span<float>(image, Size).Clear();

    /// <summary>Writes the source into an image that was cleared once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(float* source, float* image)
    {
        if (IsSource)
        {
            new ReadOnlySpan<float>(source, Size).CopyTo(new Span<float>(image, Size));
            return;
        }

        // Gradients may fall outside when the padding is wider than the kernel reaches.
        var (from, end) = (Math.Max(0, -_left), Math.Min(_sourceW, Width - _left));
        var (first, last) = (Math.Max(0, -_top), Math.Min(_sourceH, Height - _top));
        if (first >= last) return;
        for (var c = 0; c < _channels; c++, source += _sourceH * _sourceW, image += Height * Width)
        {
            var row = source + (first * _sourceW) + from;
            var to = image + ((first + _top) * Width) + _left + from;
            Rows(row, _sourceW, to, Width, end - from, last - first, zeros: true, c == _channels - 1);
        }
    }

    /// <summary>
    /// Copies rows, upwards. Up to fifteen floats behind a row may be written too, by zeros or by anything, if the next
    /// row, or what the caller writes next, or zeros lie there; behind the <paramref name="final"/> row never.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rows(
        float* from, nint fromStride, float* to, nint toStride, int count, int rows, bool zeros, bool final)
    {
        if (Vector512.IsHardwareAccelerated && count is >= 8 and < 16)
        {
            var whole = final ? rows - 1 : rows;
            var kept = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
            if (!zeros) kept = Vector512<float>.AllBitsSet;
            for (; whole > 0; whole--, rows--, from += fromStride, to += toStride)
                Vector512.Store(Vector512.Load(from) & kept, to);
        }

        for (; rows > 0; rows--, from += fromStride, to += toStride) Copy(from, to, count);
    }

    // Rows are short: a call to the runtime would cost more.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* from, float* to, int count)
    {
        if (count < 8)
        {
            for (var i = 0; i < count; i++) to[i] = from[i];
            return;
        }

        // The last ones may be written twice.
        if (Vector512.IsHardwareAccelerated && count >= 16)
        {
            for (var i = 0; i < count - 16; i += 16) Vector512.Store(Vector512.Load(from + i), to + i);
            Vector512.Store(Vector512.Load(from + count - 16), to + count - 16);
            return;
        }

        for (var i = 0; i < count - 8; i += 8) Vector256.Store(Vector256.Load(from + i), to + i);
        Vector256.Store(Vector256.Load(from + count - 8), to + count - 8);
    }
}
