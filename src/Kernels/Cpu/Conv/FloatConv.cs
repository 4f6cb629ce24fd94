using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Products;

namespace Convoy.Kernels.Cpu.Conv;

// Forward pass as one product per sample and group: weights [rows, terms] times patches [terms, pixels] of a padded
// image. The input gradient (FloatConvInput) is the same with dy as the image.
internal static unsafe class FloatConv
{
    internal const long FlopsPerPart = 4_000_000;

    public static void Forward(float* x, float* w, float* bias, float* y, in Conv2dShape s, Activation activation)
    {
        var work = new ForwardParts(x, w, bias, y, s, activation);
        ThreadTeam.Run(ref work, PartsOf(s));
    }

    internal static int PartsOf(in Conv2dShape s) =>
        (int)Math.Clamp(s.N, 1, ThreadTeam.Parts(2L * s.N * s.OutputSize * s.Terms, FlopsPerPart));

    // Samples; every thread packs the weights for itself.
    private readonly struct ForwardParts(
        float* x, float* w, float* bias, float* y, Conv2dShape s, Activation activation) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (from, count) = ThreadTeam.Range(s.N, part, parts);
            ForwardWhole(
                x + ((nint)from * s.InputSize), w, bias, y + ((nint)from * s.OutputSize),
                s with { N = count }, activation);
        }
    }

    private static void ForwardWhole(
        float* x, float* w, float* bias, float* y, in Conv2dShape s, Activation activation)
    {
        if (SimdInfo.Lanes == 16) Forward<Lane16>(x, w, bias, y, s, activation);
        else if (SimdInfo.Lanes == 8) Forward<Lane8>(x, w, bias, y, s, activation);
        else if (SimdInfo.Lanes == 4) Forward<Lane4>(x, w, bias, y, s, activation);
        else Forward<Lane1>(x, w, bias, y, s, activation);
    }

    internal static void Forward<V>(float* x, float* w, float* bias, float* y, in Conv2dShape s, Activation activation)
        where V : unmanaged, ILanes<V>
    {
        var bare = FlatProduct<V>.FitsBare(s, s.COutGroup);
        var image = PaddedImage.OfInput(s, bare);
        var pixels = s.OutH * s.OutW;
        var memory = (int*)Scratch.Floats(
            ScratchSlot.ConvOffsets, checked(TermList.Size(s.Terms) + PatchProduct<V>.PlaceSize(pixels)));
        var terms = TermList.OfForward(image, s, memory);
        var weights = Scratch.Floats(ScratchSlot.ConvWeights, Correlation<V>.WeightSize(s.COutGroup, s.Terms));
        var turned = Scratch.Floats(ScratchSlot.PackedA, checked(s.COutGroup * s.Terms));
        var product = new Correlation<V>(
            image, bare ? Edges(s, mirrored: false) : default, s.COutGroup, terms, s.OutH, s.OutW, s.Stride, weights,
            memory + TermList.Size(s.Terms));
        // Whole registers are read behind the image only where rows are few (FlatProduct).
        var padded = image.IsSource && !FlatProduct<V>.Fits(s.COutGroup, s.Stride) ? null : NewImage(image);
        var (inputs, outputs) = (s.CInGroup * s.H * s.W, s.COutGroup * pixels);
        for (var g = 0; g < s.Groups; g++)
        {
            product.SetWeights(w + ((nint)g * s.COutGroup * s.Terms), s.Terms, s.Terms, 0, turned);
            for (var n = 0; n < s.N; n++)
            {
                var sample = ((nint)n * s.Groups) + g;
                var source = x + (sample * inputs);
                if (padded is not null) image.Fill(source, padded);
                product.Run(
                    padded is null ? source : padded, y + (sample * outputs),
                    bias is null ? null : bias + (g * s.COutGroup), activation, pixels);
            }
        }
    }

    internal static float* NewImage(in PaddedImage image)
    {
        var padded = Scratch.Floats(ScratchSlot.ConvImage, image.SizeWithSlack) + image.Lead;
        image.Clear(padded);
        return padded;
    }

    // Where the sums of an image with something around it would be.
    internal static EdgeMasks Edges(in Conv2dShape s, bool mirrored) => EdgeMasks.Of(
        s, mirrored, Scratch.Floats(ScratchSlot.ConvPanel, checked(s.Kh * s.Kw * s.H * s.W)));
}
