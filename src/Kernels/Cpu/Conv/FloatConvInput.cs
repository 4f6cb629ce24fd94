using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu.Conv;

// The input gradient, one phase of pixels after the other. With a stride, most terms of a pixel are zeros because dy
// has no pixel there; a phase lists the others. A zero times a finite weight changes a sum only in one case: it makes
// +0 of -0. So with finite weights the bits are those of all terms, but for results that are -0: these few (only
// underflow makes them) are summed again in full.
internal static unsafe class FloatConvInput
{
    public static void Run(float* dy, float* w, float* dx, in Conv2dShape s)
    {
        var work = new Parts(dy, w, dx, s);
        ThreadTeam.Run(ref work, FloatConv.PartsOf(s));
    }

    // Samples; every thread packs the weights for itself.
    private readonly struct Parts(float* dy, float* w, float* dx, Conv2dShape s) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (from, count) = ThreadTeam.Range(s.N, part, parts);
            var gradient = dy + ((nint)from * s.OutputSize);
            var to = dx + ((nint)from * s.InputSize);
            var own = s with { N = count };
            if (SimdInfo.Lanes == 16) Run<Lane16>(gradient, w, to, own);
            else if (SimdInfo.Lanes == 8) Run<Lane8>(gradient, w, to, own);
            else if (SimdInfo.Lanes == 4) Run<Lane4>(gradient, w, to, own);
            else Run<Lane1>(gradient, w, to, own);
        }
    }

    internal static void Run<V>(float* dy, float* w, float* dx, in Conv2dShape s) where V : unmanaged, ILanes<V>
    {
        if (s.Stride > 1 && !Finite<V>(w, s.WeightSize))
        {
            ConvReference.GradInput<float>(
                new ReadOnlySpan<float>(dy, s.N * s.OutputSize), new ReadOnlySpan<float>(w, s.WeightSize),
                new Span<float>(dx, s.N * s.InputSize), s);
            return;
        }

        var image = PaddedImage.OfGradient(s, FlatProduct<V>.FitsBare(s, s.CInGroup));
        var phases = Scratch.Rent<Phase<V>>(ScratchSlot.ConvPhases, s.Stride * s.Stride);
        Plan(image, s, phases);
        var padded = image.IsSource && !FlatProduct<V>.Fits(s.CInGroup, 1) ? null : FloatConv.NewImage(image);
        var result = s.Stride == 1 ? null : Scratch.Floats(ScratchSlot.ConvPlanes, s.CInGroup * phases[0].Pixels);
        var turned = Scratch.Floats(ScratchSlot.PackedA, checked(s.CInGroup * s.COutGroup * s.Kh * s.Kw));
        var (inputs, outputs) = (s.CInGroup * s.H * s.W, s.COutGroup * s.OutH * s.OutW);
        for (var g = 0; g < s.Groups; g++)
        {
            var places = s.Kh * s.Kw;
            foreach (ref var phase in phases)
                phase.Product.SetWeights(w + ((nint)g * s.COutGroup * s.Terms), places, places, s.Terms, turned);
            for (var n = 0; n < s.N; n++)
            {
                var sample = ((nint)n * s.Groups) + g;
                var source = dy + (sample * outputs);
                var to = dx + (sample * inputs);
                if (padded is not null) image.Fill(source, padded);
                Phases(phases, padded is null ? source : padded, to, result, s);
                if (s.Stride > 1) Repair(dy, w, to, n, g, s);
            }
        }
    }

    /// <summary>The pixels of dx whose row and column have the remainders H and W by the stride.</summary>
    private struct Phase<V> where V : unmanaged, ILanes<V>
    {
        public int H, W, Rows, Columns;
        public Correlation<V> Product;

        public readonly int Pixels => Rows * Columns;
    }

    private static void Plan<V>(in PaddedImage image, in Conv2dShape s, Span<Phase<V>> phases)
        where V : unmanaged, ILanes<V>
    {
        // Phases share out the terms and the pixels; each list of terms has room for all.
        var terms = s.COutGroup * s.Kh * s.Kw;
        var memory = (int*)Scratch.Floats(ScratchSlot.ConvOffsets, checked(
            (phases.Length * (TermList.Size(terms) + Products.NarrowTile.Rows)) + (s.H * s.W)));
        var places = memory + ((nint)phases.Length * TermList.Size(terms));
        var weights = Scratch.Floats(ScratchSlot.ConvWeights, Correlation<V>.WeightSize(s.CInGroup, terms));
        var edges = FlatProduct<V>.FitsBare(s, s.CInGroup) ? FloatConv.Edges(s, mirrored: true) : default;
        for (var i = 0; i < phases.Length; i++)
        {
            ref var phase = ref phases[i];
            (phase.H, phase.W) = Math.DivRem(i, s.Stride);
            phase.Rows = PaddedImage.PhaseLength(s.H, phase.H, s.Stride);
            phase.Columns = PaddedImage.PhaseLength(s.W, phase.W, s.Stride);
            var list = TermList.OfPhase(image, s, phase.H, phase.W, memory + ((nint)i * TermList.Size(terms)));
            phase.Product = new Correlation<V>(
                image, edges, s.CInGroup, list, phase.Rows, phase.Columns, 1, weights, places);
            weights += Correlation<V>.WeightSize(s.CInGroup, list.Count);
            places += PatchProduct<V>.PlaceSize(phase.Pixels);
        }
    }

    private static void Phases<V>(Span<Phase<V>> phases, float* image, float* dx, float* result, in Conv2dShape s)
        where V : unmanaged, ILanes<V>
    {
        foreach (ref var phase in phases)
        {
            if (phase.Pixels == 0) continue;
            phase.Product.Run(image, result is null ? dx : result, null, Activation.None, phase.Pixels);
            if (result is null) continue;
            var from = result;
            for (var c = 0; c < s.CInGroup; c++)
                for (var h = 0; h < phase.Rows; h++, from += phase.Columns)
                    Spread(
                        from, phase.Columns, dx + ((((c * s.H) + (h * s.Stride) + phase.H) * s.W) + phase.W), s.Stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Spread(float* from, int count, float* to, nint stride)
    {
        for (nint i = 0; i < count; i++, to += stride) *to = from[i];
    }

    // One not-a-number in the sum of zero times each says that one is not finite.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Finite<V>(float* w, int count) where V : unmanaged, ILanes<V>
    {
        V sum = default;
        var i = 0;
        for (; i <= count - V.Count; i += V.Count) sum = V.Fma(V.Load(w + i), default, sum);
        var lanes = stackalloc float[Order.Lanes];
        V.Store(sum, lanes);
        var total = 0f;
        for (var lane = 0; lane < V.Count; lane++) total += lanes[lane];
        for (; i < count; i++) total += w[i] * 0f;
        return !float.IsNaN(total);
    }

    // The elements of one sample and group that are -0, in full.
    private static void Repair(float* dy, float* w, float* dx, int n, int group, in Conv2dShape s)
    {
        var elements = new Span<int>(dx, s.CInGroup * s.H * s.W);
        for (var at = 0; elements[at..].IndexOf(int.MinValue) is var next and >= 0; at++)
        {
            at += next;
            var (row, column) = Math.DivRem(at, s.W);
            var (c, h) = Math.DivRem(row, s.H);
            dx[at] = ConvReference.InputGradient(
                new ReadOnlySpan<float>(dy, s.N * s.OutputSize), new ReadOnlySpan<float>(w, s.WeightSize), n,
                (group * s.CInGroup) + c, h, column, s);
        }
    }
}
