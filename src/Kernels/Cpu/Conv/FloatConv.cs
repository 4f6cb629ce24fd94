using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Products;

namespace Convoy.Kernels.Cpu.Conv;

// Forward pass and input gradient as one product per sample and group: weights [rows, terms] times patches
// [terms, pixels] of a padded image.
internal static unsafe class FloatConv
{
    private const long FlopsPerPart = 4_000_000;

    public static void Forward(float* x, float* w, float* bias, float* y, in Conv2dShape s, Activation activation)
    {
        var work = new ForwardParts(x, w, bias, y, s, activation);
        ThreadTeam.Run(ref work, PartsOf(s));
    }

    public static void GradInput(float* dy, float* w, float* dx, in Conv2dShape s)
    {
        var work = new GradInputParts(dy, w, dx, s);
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
                x + ((nint)from * s.InputSize), w, bias, y + ((nint)from * s.OutputSize), s with { N = count }, activation);
        }
    }

    private readonly struct GradInputParts(float* dy, float* w, float* dx, Conv2dShape s) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (from, count) = ThreadTeam.Range(s.N, part, parts);
            GradInputWhole(
                dy + ((nint)from * s.OutputSize), w, dx + ((nint)from * s.InputSize), s with { N = count });
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

    private static void GradInputWhole(float* dy, float* w, float* dx, in Conv2dShape s)
    {
        if (SimdInfo.Lanes == 16) GradInput<Lane16>(dy, w, dx, s);
        else if (SimdInfo.Lanes == 8) GradInput<Lane8>(dy, w, dx, s);
        else if (SimdInfo.Lanes == 4) GradInput<Lane4>(dy, w, dx, s);
        else GradInput<Lane1>(dy, w, dx, s);
    }

    internal static void Forward<V>(float* x, float* w, float* bias, float* y, in Conv2dShape s, Activation activation)
        where V : unmanaged, ILanes<V>
    {
        var image = PaddedImage.OfInput(s);
        var product = new PatchProduct<V>(image, s.COutGroup, s.Terms, s.OutH, s.OutW, s.Stride);
        image.Offsets(s, mirrored: false, product.Offsets);
        var (inputs, outputs) = (s.CInGroup * s.H * s.W, s.COutGroup * s.OutH * s.OutW);
        for (var g = 0; g < s.Groups; g++)
        {
            product.PackWeights(w + ((nint)g * s.COutGroup * s.Terms));
            for (var n = 0; n < s.N; n++)
            {
                var sample = ((nint)n * s.Groups) + g;
                image.Fill(x + (sample * inputs), product.Image);
                product.Run(y + (sample * outputs), bias is null ? null : bias + (g * s.COutGroup), activation);
            }
        }
    }

    internal static void GradInput<V>(float* dy, float* w, float* dx, in Conv2dShape s) where V : unmanaged, ILanes<V>
    {
        var image = PaddedImage.OfGradient(s);
        var places = s.Kh * s.Kw;
        var terms = s.COutGroup * places;
        var product = new PatchProduct<V>(image, s.CInGroup, terms, s.H, s.W, 1);
        image.Offsets(s, mirrored: true, product.Offsets);
        var (inputs, outputs) = (s.CInGroup * s.H * s.W, s.COutGroup * s.OutH * s.OutW);
        var turned = Scratch.Floats(ScratchSlot.PackedA, s.CInGroup * terms);
        for (var g = 0; g < s.Groups; g++)
        {
            Turn(w + ((nint)g * s.COutGroup * s.Terms), s.COutGroup, s.CInGroup, places, turned);
            product.PackWeights(turned);
            for (var n = 0; n < s.N; n++)
            {
                var sample = ((nint)n * s.Groups) + g;
                image.Fill(dy + (sample * outputs), product.Image);
                product.Run(dx + (sample * inputs), null, Activation.None);
            }
        }
    }

    // [output, input, place] to [input, output, place].
    private static void Turn(float* w, int outputs, int inputs, int places, float* turned)
    {
        for (var ci = 0; ci < inputs; ci++)
            for (var co = 0; co < outputs; co++)
                for (var p = 0; p < places; p++)
                    *turned++ = w[(((co * inputs) + ci) * places) + p];
    }
}
