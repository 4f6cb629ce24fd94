using Convoy.Autodiff.Optim.Gradients;

namespace Convoy.Autodiff.Tests.Optim.Gradients;

/// <summary>GP-07, GP-08: stages together, figures of each, presets; figures and repairs of gradients.</summary>
public sealed class PipelineTests
{
    [Fact]
    public void Stages_AreReportedWithFiguresBeforeAndAfter()
    {
        var pipeline = new GradientPipeline(
            new CleanGradients(), new NormalizeGradients(), new ScaleGradients(3), new ClipByGlobalNorm(1));
        var reports = pipeline.Apply(Sets.Of([3, 0, double.NaN], [0, 4]));
        Assert.Equal(["clean", "normalize", "scale", "clip by global norm"], reports.Select(r => r.Stage));
        Assert.Equal((1, 0), (reports[0].Before.NotFinite, reports[0].After.NotFinite));
        Assert.Equal(5, reports[1].NormBefore, 12);
        Assert.Equal(Math.Sqrt(2), reports[1].NormAfter, 12);
        Assert.Equal(3 * Math.Sqrt(2), reports[2].NormAfter, 12);
        Assert.Equal(1, reports[3].NormAfter, 12);
        Assert.Equal(0.6, reports[3].After.Sparsity, 12);
        Assert.StartsWith("clip by global norm: norm 4.24264 -> 1", reports[3].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Totals_CountStepsAndChanges()
    {
        var pipeline = new GradientPipeline(new CleanGradients(), new ClipByGlobalNorm(1));
        foreach (var size in new[] { 0.5, 4.0, 2.0, 1.0 }) pipeline.Apply(Sets.Of([size]));
        var (clean, clip) = (pipeline.Totals[0], pipeline.Totals[1]);
        Assert.Equal((4, 0), (clean.Steps, clean.Changed));
        Assert.Equal((4, 2, 4), (clip.Steps, clip.Changed, clip.LargestNorm));
        Assert.Equal((1 + 0.25 + 0.5 + 1) / 4, clip.MeanFactor, 12);
        Assert.Equal("clip by global norm: changed 2 of 4 steps, norms by 0.6875 in the mean, up to 4",
            clip.ToString());
    }

    public static TheoryData<string> Presets() => [.. GradientPresets.Names];

    [Theory]
    [MemberData(nameof(Presets))]
    public void Preset_KeepsStepsFiniteAndBounded_AndIsRepeatable(string name)
    {
        var (a, b) = (GradientPresets.Create(name, 5), GradientPresets.Create(name, 5));
        for (var t = 0; t < 30; t++)
        {
            var (one, two) = (Sets.Normal(t, t == 29 ? 1e6 : 1), Sets.Normal(t, t == 29 ? 1e6 : 1));
            if (t == 7) one.Parts[0].Gradient[0] = two.Parts[0].Gradient[0] = double.NaN;
            a.Apply(one);
            b.Apply(two);
            Assert.Equal(Sets.Numbers(one), Sets.Numbers(two));
            Assert.Equal(0, GradientFigures.Of(one).NotFinite);
            // The last step is a million times as large as those before it.
            if (t == 29) Assert.True(one.GlobalNorm < 20, $"{name}: {one.GlobalNorm}");
        }
    }

    [Fact]
    public void UnknownPreset_IsRefusedWithTheNames() => Assert.Contains(
        "standard, automatic", Assert.Throws<ArgumentException>(() => GradientPresets.Create("fast")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Figures_OfAGradient()
    {
        double[] g = [3, -4, 0, 1];
        Assert.Equal(0, GradientMath.Mean(g));
        Assert.Equal(Math.Sqrt(26.0 / 4), GradientMath.Deviation(g), 12);
        Assert.Equal((-4, 3), GradientMath.Extremes(g));
        Assert.Equal(Math.Sqrt(26), GradientMath.Norm(g), 12);
        Assert.Equal(8, GradientMath.Norm(g, 1), 12);
        Assert.Equal(Math.Cbrt(27 + 64 + 1), GradientMath.Norm(g, 3), 12);
        Assert.Equal(4, GradientMath.Norm(g, double.PositiveInfinity));
        Assert.Equal((0.25, 0.5), (GradientMath.Sparsity(g), GradientMath.Sparsity(g, 1)));
        Assert.Equal(0, GradientMath.Cosine([1, 0], [0, 2]));
        Assert.Equal(-1, GradientMath.Cosine([1, 2], [-2, -4]), 12);
        Assert.Throws<ArgumentException>(() => GradientMath.Cosine([1], [1, 2]));
        Assert.Throws<ArgumentException>(() => GradientMath.Norm(g, 0.5));

        var figures = GradientFigures.Of(Sets.Of([3, -4], [0, 1]));
        Assert.Equal(new GradientFigures(4, 0, Math.Sqrt(6.5), -4, 3, Math.Sqrt(26), 0.25, 0), figures);
        Assert.Equal(default, GradientFigures.Of(Sets.Of()));
    }

    [Fact]
    public void Repairs_OfAGradient()
    {
        double[] g = [double.NaN, double.NegativeInfinity, 2];
        Assert.Equal(2, GradientMath.Clean(g, limit: 5));
        Assert.Equal([0, -5, 2], g);
        double[] v = [3, 4];
        Assert.Equal(5, GradientMath.Normalize(v));
        Assert.Equal([0.6, 0.8], v.Select(x => Math.Round(x, 12)));
        double[] none = [0, 0];
        Assert.Equal(0, GradientMath.Normalize(none));
        Assert.Equal([0, 0], none);
        double[] sum = [1, 1];
        GradientMath.Add(sum, [2, 3], 0.5);
        Assert.Equal([2, 2.5], sum);
        Assert.Throws<ArgumentException>(() => GradientMath.Add(sum, [1.0]));
    }

    [Fact]
    public void Figures_OfNumbersWhoseSquaresLeaveFloat64_AreRight()
    {
        // GP-08: the largest and the smallest numbers there are.
        double[] huge = [3e200, 4e200], tiny = [3e-200, -4e-200];
        Assert.Equal(5e200, GradientMath.Norm(huge), 5e200 * 1e-14);
        Assert.Equal(5e-200, GradientMath.Norm(tiny), 5e-200 * 1e-14);
        Assert.Equal(Math.Cbrt(91) * 1e200, GradientMath.Norm(huge, 3), 5e200 * 1e-14);
        Assert.Equal(1, GradientMath.Cosine(huge, huge), 12);
        Assert.Equal(-0.28, GradientMath.Cosine(huge, tiny), 12);
        double[] smallest = [double.Epsilon, 0];
        var stage = smallest.ToArray();
        Assert.Equal(double.Epsilon, GradientMath.Normalize(smallest));
        new GradientPipeline(new NormalizeGradients()).Apply(Sets.Of(stage));
        Assert.Equal([1.0, 0], smallest);
        Assert.Equal([1.0, 0], stage);
        Assert.Throws<ArgumentException>(() => GradientMath.Percentile([], 50));
        Assert.Throws<ArgumentException>(() => GradientMath.Percentile([1], double.NaN));
    }
}
