using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu.Conv;

// The weight gradient of one slice: patchesᵀ [terms, pixels] · dy [pixels, output channels]. The pixels of all
// samples of the slice form one sequence that is cut in blocks of 256 (K-2). A block's dy is packed with channels
// side by side; its patches are read where they lie, in padded images: six terms are six offsets. Only the images
// that a block touches are kept, in a ring; without padding they are the samples themselves.
internal readonly unsafe struct PatchSum<V> : ISliceSum<float> where V : unmanaged, ILanes<V>
{
    private readonly float* _x;
    private readonly float* _dy;
    private readonly Conv2dShape _s;
    private readonly PaddedImage _image;
    private readonly int _ring;
    private readonly int _paddedTerms;
    private readonly int _paddedChannels;
    private readonly bool _padded;
    private readonly float* _images;
    private readonly float* _panels;
    private readonly float* _sums;
    private readonly int* _offsets;

    public PatchSum(float* x, float* dy, in Conv2dShape s)
    {
        _x = x;
        _dy = dy;
        _s = s;
        _image = PaddedImage.OfInput(s);
        var pixels = s.OutH * s.OutW;
        _ring = 2 + (Order.Block / pixels);
        _paddedTerms = PaddedTerms(s.Terms);
        _paddedChannels = NarrowTile.Padded<V>(s.COutGroup);
        _padded = !_image.IsSource;
        _images = _padded ? Scratch.Floats(ScratchSlot.ConvImage, checked(_ring * _image.Size)) : null;
        for (var i = 0; i < _ring && _padded; i++) _image.Clear(_images + ((nint)i * _image.Size));
        _panels = Scratch.Floats(ScratchSlot.ConvPanel, Order.Block * _paddedChannels);
        _sums = Scratch.Floats(ScratchSlot.ConvWeights, checked(_paddedTerms * _paddedChannels));
        _offsets = (int*)Scratch.Floats(ScratchSlot.ConvOffsets, _paddedTerms);
        new Span<int>(_offsets, _paddedTerms).Clear();
        var list = TermList.OfForward(_image, s, (int*)Scratch.Floats(ScratchSlot.ConvPlanes, TermList.Size(s.Terms)));
        new Span<int>(list.Offsets, list.Count).CopyTo(new Span<int>(_offsets, _paddedTerms));
    }

    /// <summary>Rows of whole tiles of either height.</summary>
    internal static int PaddedTerms(int terms) => (terms + NarrowTile.Rows - 1) / NarrowTile.Rows * NarrowTile.Rows;

    public void Sum(int firstRow, int endRow, Span<float> destination)
    {
        for (var g = 0; g < _s.Groups; g++)
        {
            Group(firstRow, endRow, g);
            var at = g * _s.COutGroup * _s.Terms;
            for (var co = 0; co < _s.COutGroup; co++)
                for (var k = 0; k < _s.Terms; k++)
                    destination[at++] = _sums[((nint)k * _paddedChannels) + co];
        }
    }

    private void Group(int firstSample, int endSample, int group)
    {
        var plane = _s.OutH * _s.OutW;
        var runs = stackalloc (int Offset, int Count)[Order.Block + 2];
        var built = firstSample;
        var end = (long)endSample * plane;
        for (var pixel = (long)firstSample * plane; pixel < end; pixel += Order.Block)
        {
            var terms = (int)Math.Min(Order.Block, end - pixel);
            var first = (int)(pixel / plane);
            for (; built <= (pixel + terms - 1) / plane && _padded; built++) Fill(built, group);
            var count = 0;
            for (var done = 0; done < terms;)
            {
                var (sample, place) = ((int)((pixel + done) / plane), (int)((pixel + done) % plane));
                var take = Math.Min(terms - done, plane - place);
                PackGradient(sample, group, place, take, done, terms);
                var image = _padded ? sample % _ring * _image.Size : (sample - first) * _s.InputSize;
                Runs(image, place, take, runs, ref count);
                done += take;
            }

            Tiles(_padded ? _images : Source(first, group), runs, count, terms, pixel > (long)firstSample * plane);
        }
    }

    private float* Source(int sample, int group) =>
        _x + ((((nint)sample * _s.Groups) + group) * _s.CInGroup * _s.H * _s.W);

    private void Fill(int sample, int group) =>
        _image.Fill(Source(sample, group), _images + ((nint)(sample % _ring) * _image.Size));

    private void PackGradient(int sample, int group, int place, int take, int done, int terms)
    {
        var plane = _s.OutH * _s.OutW;
        var from = _dy + ((((((nint)sample * _s.Groups) + group) * _s.COutGroup)) * plane) + place;
        for (int j = 0, width; j < _s.COutGroup; j += width)
        {
            width = NarrowTile.Width<V>(_s.COutGroup - j);
            Pack.Columns(
                take, Math.Min(width, _s.COutGroup - j), from + ((nint)j * plane), plane,
                _panels + ((nint)j * terms) + ((nint)done * width), width);
        }
    }

    // Rows of pixels, from one place of a sample's plane on.
    private void Runs(int image, int place, int take, (int Offset, int Count)* runs, ref int count)
    {
        while (take > 0)
        {
            var (h, w) = Math.DivRem(place, _s.OutW);
            var pixels = Math.Min(take, _s.OutW - w);
            runs[count++] = (image + (((h * _image.Width) + w) * _s.Stride), pixels);
            place += pixels;
            take -= pixels;
        }
    }

    private void Tiles(float* images, (int Offset, int Count)* runs, int count, int terms, bool add)
    {
        for (int j = 0, width; j < _s.COutGroup; j += width)
        {
            width = NarrowTile.Width<V>(_s.COutGroup - j);
            var (narrow, panel) = (width == V.Count, (nint)(_panels + ((nint)j * terms)));
            for (var k = 0; k < _s.Terms; k += narrow ? NarrowTile.Rows : Tile.Rows)
            {
                var to = _sums + ((nint)k * _paddedChannels) + j;
                if (narrow)
                {
                    NarrowTile.Patches<V>(
                        runs, count, _s.Stride, images, _offsets + k, (float*)panel, to, _paddedChannels, add);
                }
                else
                {
                    Tile.Patches<V>(
                        runs, count, _s.Stride, images, _offsets + k, (float*)panel, to, _paddedChannels, add);
                }
            }
        }
    }
}
