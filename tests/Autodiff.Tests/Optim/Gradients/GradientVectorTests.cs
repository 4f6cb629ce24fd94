using Convoy.Autodiff.Optim.Gradients;

namespace Convoy.Autodiff.Tests.Optim.Gradients;

/// <summary>GP-01 to GP-08: gradients in float32 are changed where they lie, and agree with float64.</summary>
public sealed class GradientVectorTests
{
    private static GradientStage[] Stages() =>
    [
        new CleanGradients(2), new ClipByValue(1.5), new ClipByNorm(2), new ClipByGlobalNorm(2.5),
        new NormalizeGradients(), new ScaleGradients(7), new ClipOutliers(2), new ClipByElementPercentile(80),
        new ClipByWeightNorm(0.5), new ClipHierarchically(3, 2, 1), new ClipEachLayer(_ => new VarianceBound()),
        new AddNoise(0.1, 4), new UniformNoise(0.2, 5), new DropGradients(0.3, 6), new SaltNoise(0.2, 1, 7),
    ];

    public static TheoryData<int> Places() => [.. Enumerable.Range(0, Stages().Length)];

    [Theory]
    [MemberData(nameof(Places))]
    public void Float32_AgreesWithFloat64_AndIsChangedInPlace(int stage)
    {
        foreach (var complex in new[] { false, true })
        {
            double[] wide = [.. Enumerable.Range(0, 60).Select(i => (double)(float)(3 * Math.Sin((i * i) + stage)))];
            wide[7] = stage == 0 ? double.NaN : 9;
            wide[12] = stage == 0 ? double.NegativeInfinity : 0;
            float[] narrow = [.. wide.Select(v => (float)v)];
            GradientSet Set(GradientVector g) => new(
                [new GradientPart("a.w", g, new double[60].Select((_, i) => 0.1 * i).ToArray(), 0)
                {
                    Units = 4, IsComplex = complex,
                }], 3);
            Stages()[stage].Apply(Set(wide));
            Stages()[stage].Apply(Set(narrow));
            for (var i = 0; i < wide.Length; i++) Assert.Equal(wide[i], narrow[i], 1e-6 * (1 + Math.Abs(wide[i])));
            var (a, b) = (GradientFigures.Of(Set(wide)), GradientFigures.Of(Set(narrow)));
            Assert.Equal(a.Norm, b.Norm, 1e-5);
            Assert.Equal((a.Count, a.NotFinite), (b.Count, b.NotFinite));
        }
    }

    // A hundred thousand squares of 1e-4 in float32 would stop growing far below their sum.
    [Fact]
    public void SumsAreFloat64()
    {
        var g = new float[1 << 22];
        Array.Fill(g, 0.01f);
        var exact = Math.Sqrt((double)0.01f * 0.01f * g.Length);
        Assert.Equal(exact, ((GradientVector)g).Norm, 1e-9 * exact);
    }

    [Fact]
    public void ElementsOfASpan_AreThoseOfItsMemory()
    {
        float[] all = [1, 2, 3, 4, 5];
        var part = GradientVector.Of(all.AsMemory(1, 3));
        part.Scale(1, 2, 10);
        part[0] = 0.1;
        Assert.Equal([1, 0.1f, 30, 40, 5], all);
        Assert.Equal((3, (double)0.1f, 2500.0), (part.Length, part[0], part.SumOfSquares(1, 2)));
        Assert.Equal([(double)0.1f, 30, 40], part.ToArray());
    }

    [Fact]
    public void NothingIsAllocatedByElements()
    {
        var set = new GradientSet([new GradientPart("w", new float[4096], new float[4096], 0) { Units = 8 }], 1);
        foreach (var i in new[] { 0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14 })
        {
            var stage = Stages()[i];
            stage.Apply(set);
            var before = GC.GetAllocatedBytesForCurrentThread();
            stage.Apply(set);
            // An enumerator and a hash of the name, never the elements.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024);
        }
    }
}
