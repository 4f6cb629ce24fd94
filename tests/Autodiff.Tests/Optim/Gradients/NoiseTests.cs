using Convoy.Autodiff.Optim.Gradients;

namespace Convoy.Autodiff.Tests.Optim.Gradients;

/// <summary>GP-04: kinds of noise, each a function of seed, step, name and element.</summary>
public sealed class NoiseTests
{
    private const int Count = 20_000;

    public static TheoryData<string> Kinds() => ["normal", "uniform", "drop", "salt", "adaptive", "by layer"];

    private static NoiseStage Make(string kind, ulong seed = 3) => kind switch
    {
        "normal" => new AddNoise(1, seed),
        "uniform" => new UniformNoise(0.5, seed),
        "drop" => new DropGradients(0.25, seed),
        "salt" => new SaltNoise(0.1, 7, seed),
        "adaptive" => AddNoise.Adaptive(0.5, seed),
        _ => AddNoise.ByLayer(1, new Dictionary<string, double> { ["w"] = 0.1 }, seed),
    };

    private static double[] Run(NoiseStage stage, long step = 0, string name = "w", double value = 2, int count = Count)
    {
        double[] g = [.. Enumerable.Repeat(value, count)];
        stage.Apply(new GradientSet([new GradientPart(name, g, new double[count], 0)], step));
        return g;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void SameSeedStepAndName_AreTheSameNoise_AndNothingElseIs(string kind)
    {
        var once = Run(Make(kind));
        Assert.Equal(once, Run(Make(kind)));
        Assert.NotEqual(once, Run(Make(kind, seed: 4)));
        Assert.NotEqual(once, Run(Make(kind), step: 1));
        Assert.NotEqual(once, Run(Make(kind), name: "v"));
        // A shorter parameter gets the start of the same stream, and other parameters do not move it.
        Assert.Equal(once[..10], Run(Make(kind), count: 10));
        double[] g = [.. Enumerable.Repeat(2.0, Count)];
        Make(kind).Apply(new GradientSet(
            [new GradientPart("other", [1.0], [0.0], 0), new GradientPart("w", g, new double[Count], 1)], 0));
        Assert.Equal(once, g);
    }

    [Theory]
    [InlineData("normal", 2, 1)]
    [InlineData("uniform", 2, 0.2887)]
    // Kept elements are 8/3: variance 2² (1/0.75 - 1).
    [InlineData("drop", 2, 1.1547)]
    // Nine of ten are 2, the others ±7.
    [InlineData("salt", 1.8, 2.2716)]
    [InlineData("adaptive", 2, 1)]
    [InlineData("by layer", 2, 0.1)]
    public void MeanAndDeviation_AreThoseOfTheKind(string kind, double mean, double deviation)
    {
        var g = Run(Make(kind));
        // Four standard errors of 20,000 draws.
        Assert.Equal(mean, GradientMath.Mean(g), 4 * deviation / Math.Sqrt(Count));
        Assert.Equal(deviation, GradientMath.Deviation(g), 0.03 * deviation);
    }

    [Fact]
    public void AnnealedNoise_DiesAwayWithTheSteps()
    {
        double Deviation(long step) => GradientMath.Deviation(Run(new AddNoise(4, seed: 1), step));
        Assert.Equal(2, Deviation(0), 0.06);
        Assert.Equal(Math.Sqrt(4 / Math.Pow(1001, 0.55)), Deviation(1000), 0.03 * Deviation(1000));
    }

    [Fact]
    public void DroppedComplexElements_LoseBothParts()
    {
        double[] g = [.. Enumerable.Repeat(1.0, 1000)];
        new DropGradients(0.5, 1).Apply(new GradientSet(
            [new GradientPart("z", g, new double[1000], 0) { IsComplex = true }], 0));
        for (var i = 0; i < 1000; i += 2) Assert.Equal(g[i], g[i + 1]);
        Assert.InRange(GradientMath.Sparsity(g), 0.4, 0.6);
    }

    [Fact]
    public void RatesOutsideTheirRange_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new DropGradients(1, 0));
        Assert.Throws<ArgumentException>(() => new SaltNoise(double.NaN, 1, 0));
    }
}
