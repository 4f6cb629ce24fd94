using Convoy.Autodiff.Optim.Gradients;

namespace Convoy.Autodiff.Tests.Optim.Gradients;

/// <summary>GP-01 to GP-04, GP-08: stages at the edges of what numbers and settings can be.</summary>
public sealed class StageLimitTests
{
    // GP-01..04: a bound that would do nothing, or harm, is refused where it is written.
    [Fact]
    public void BoundsWithoutAMeaning_AreRefused()
    {
        foreach (var bad in new[] { -1, double.NaN })
        {
            Func<object>[] all =
            [
                () => new ClipByValue(bad), () => new ClipByGlobalNorm(bad), () => new ClipByElementPercentile(bad),
                () => new ClipOutliers(bad), () => new ClipByWeightNorm(bad), () => new CleanGradients(bad),
                () => new AddNoise(bad, 1), () => new UniformNoise(bad, 1), () => new DropGradients(bad, 1),
                () => new SaltNoise(bad, 1, 1), () => new WeightAverage(1, bad),
            ];
            foreach (var one in all)
                Assert.Contains($"{bad}", Assert.Throws<ArgumentException>(one).Message, StringComparison.Ordinal);
            Assert.Contains("above 0", Assert.Throws<ArgumentException>(
                () => new ClipByNorm(bad).Apply(Sets.Of([3, 4]))).Message, StringComparison.Ordinal);
        }

        Assert.Contains("2 gradients and 1 weights", Assert.Throws<ArgumentException>(() => new ClipByWeightNorm().Apply(
            new GradientSet([new GradientPart("w", [3.0, 4], [1.0], 0)], 1))).Message, StringComparison.Ordinal);
    }

    // GP-01, GP-08: norms of numbers whose squares are infinite, or 0, in float64.
    [Theory]
    [InlineData(1e200)]
    [InlineData(1e-200)]
    [InlineData(1)]
    public void LargeAndTinyGradients_HaveNorms(double unit)
    {
        double[] g = [3 * unit, 4 * unit], h = [12 * unit];
        GradientSet Set() => new([new GradientPart("a", g, g, 0), new GradientPart("b", h, h, 1)], 1);
        Assert.Equal(1, Set().Parts[0].Norm / (5 * unit), 1e-14);
        Assert.Equal(1, Set().GlobalNorm / (13 * unit), 1e-14);
        new ClipByGlobalNorm(6.5 * unit).Apply(Set());
        Assert.All(new[] { (1.5, g[0]), (2, g[1]), (6, h[0]) }, p => Assert.Equal(p.Item1, p.Item2 / unit, 1e-14));
        new NormalizeGradients().Apply(Set());
        Assert.Equal((0.6, 0.8, 1), (Math.Round(g[0], 14), Math.Round(g[1], 14), Math.Round(h[0], 14)));
        Assert.Equal(0, Sets.Of([0, 0]).GlobalNorm);
        Assert.True(double.IsNaN(Sets.Of([1e200, double.NaN]).GlobalNorm));
        Assert.True(double.IsPositiveInfinity(Sets.Of([1, double.PositiveInfinity]).GlobalNorm));
    }
}
