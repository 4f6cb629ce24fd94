using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu;

/// <summary>Optimizers in one pass: every vector is read once and written once.</summary>
internal static unsafe class FloatOptimizers
{
    private const int ElementsPerPart = 32_768;

    public static void Sgd(float* w, float* g, float* m, int count, in SgdStep step)
    {
        var work = new SgdParts(w, g, m, count, step);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts(count, ElementsPerPart));
    }

    // Without momentum there is no m: its place is never read.
    private readonly struct SgdParts(float* w, float* g, float* m, int length, SgdStep step) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (i, count) = ThreadTeam.Range(length, part, parts, Order.Lanes);
            if (SimdInfo.Lanes == 16) Sgd<Lane16>(w + i, g + i, m + i, count, step);
            else if (SimdInfo.Lanes == 8) Sgd<Lane8>(w + i, g + i, m + i, count, step);
            else if (SimdInfo.Lanes == 4) Sgd<Lane4>(w + i, g + i, m + i, count, step);
            else Sgd<Lane1>(w + i, g + i, m + i, count, step);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Sgd<V>(float* w, float* g, float* m, int count, in SgdStep step) where V : unmanaged, ILanes<V>
    {
        var i = 0;
        if (step.Momentum != 0)
        {
            for (; i <= count - V.Count; i += V.Count) Momentum<V>(w + i, g + i, m + i, step);
            for (; i < count; i++) Momentum<Lane1>(w + i, g + i, m + i, step);
            return;
        }

        for (; i <= count - V.Count; i += V.Count) Plain<V>(w + i, g + i, step);
        for (; i < count; i++) Plain<Lane1>(w + i, g + i, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Momentum<V>(float* w, float* g, float* m, in SgdStep step) where V : unmanaged, ILanes<V>
    {
        var weight = V.Load(w);
        var update = V.Fma(
            V.Create((float)step.WeightDecay), weight, V.Load(g) * V.Create((float)step.GradientScale));
        update = V.Fma(V.Create((float)step.Momentum), V.Load(m), update);
        V.Store(update, m);
        V.Store(V.Fma(V.Create(-(float)step.LearningRate), update, weight), w);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Plain<V>(float* w, float* g, in SgdStep step) where V : unmanaged, ILanes<V>
    {
        var weight = V.Load(w);
        var update = V.Fma(
            V.Create((float)step.WeightDecay), weight, V.Load(g) * V.Create((float)step.GradientScale));
        V.Store(V.Fma(V.Create(-(float)step.LearningRate), update, weight), w);
    }

    public static void Adam(float* w, float* g, float* m, float* v, int count, in AdamConstants<float> c)
    {
        var work = new AdamParts(w, g, m, v, count, c);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts(count, ElementsPerPart));
    }

    private readonly struct AdamParts(float* w, float* g, float* m, float* v, int length, AdamConstants<float> c)
        : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (i, count) = ThreadTeam.Range(length, part, parts, Order.Lanes);
            if (SimdInfo.Lanes == 16) Adam<Lane16>(w + i, g + i, m + i, v + i, count, c);
            else if (SimdInfo.Lanes == 8) Adam<Lane8>(w + i, g + i, m + i, v + i, count, c);
            else if (SimdInfo.Lanes == 4) Adam<Lane4>(w + i, g + i, m + i, v + i, count, c);
            else Adam<Lane1>(w + i, g + i, m + i, v + i, count, c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Adam<V>(float* w, float* g, float* m, float* v, int count, in AdamConstants<float> c)
        where V : unmanaged, ILanes<V>
    {
        var i = 0;
        for (; i <= count - V.Count; i += V.Count) Adam<V>(w + i, g + i, m + i, v + i, c);
        for (; i < count; i++) Adam<Lane1>(w + i, g + i, m + i, v + i, c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Adam<V>(float* w, float* g, float* m, float* v, in AdamConstants<float> c)
        where V : unmanaged, ILanes<V>
    {
        var weight = V.Load(w);
        var gradient = V.Fma(V.Create(c.Decay), weight, V.Load(g) * V.Create(c.Scale));
        var first = V.Fma(V.Create(c.Beta1), V.Load(m), V.Create(c.OneMinusBeta1) * gradient);
        var second = V.Fma(V.Create(c.Beta2), V.Load(v), V.Create(c.OneMinusBeta2) * gradient * gradient);
        V.Store(first, m);
        V.Store(second, v);
        var root = V.Fma(V.Sqrt(second), V.Create(c.RootFactor), V.Create(c.Epsilon));
        V.Store(V.Fma(V.Create(-c.Rate), first / root, weight * V.Create(c.Keep)), w);
    }
}
