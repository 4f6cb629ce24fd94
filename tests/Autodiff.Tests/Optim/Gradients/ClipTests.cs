using System.Numerics;
using Convoy.Autodiff.Optim.Gradients;

namespace Convoy.Autodiff.Tests.Optim.Gradients;

/// <summary>GP-01, GP-02, GP-03, CPX-02: bounds of values and norms, fixed and learned, for all and by layer.</summary>
public sealed class ClipTests
{
    [Fact]
    public void Value_Norm_AndGlobalNorm_ClipEachInItsWay()
    {
        // GP-01
        var set = Sets.Of([3, -5], [0.5, 0.1]);
        new ClipByValue(1).Apply(set);
        Assert.Equal([1, -1, 0.5, 0.1], Sets.Numbers(set));
        new ClipByNorm(10, new Dictionary<string, double> { ["p0"] = 0.5 }).Apply(set);
        Assert.Equal(0.5, set.Parts[0].Norm, 12);
        Assert.Equal([0.5, 0.1], set.Parts[1].Gradient.ToArray());

        var whole = Sets.Of([3, 0], [0, 4]);
        new ClipByGlobalNorm(1).Apply(whole);
        Assert.Equal(1, whole.GlobalNorm, 12);
        Assert.Equal(0.6, whole.Parts[0].Gradient[0], 12);
        var within = Sets.Of([0.3, 0]);
        new ClipByGlobalNorm(1).Apply(within);
        Assert.Equal([0.3, 0], Sets.Numbers(within));
    }

    [Fact]
    public void PercentileBound_IsThatOfTheWindow()
    {
        // GP-02
        // The last window is 8, 3, 1, 6: sorted 1, 3, 6, 8, half of four is the third.
        Assert.Equal(6, new PercentileBound(50, 4).Play(4, 2, 8, 3, 1, 6));
        Assert.Equal(1, new PercentileBound(0, 4).Play(4, 2, 8, 3, 1, 6));
        Assert.Equal(8, new PercentileBound(100, 4).Play(4, 2, 8, 3, 1, 6));
    }

    [Fact]
    public void AverageBound_IsAMultipleOfTheRunningMean_OfClippedNorms()
    {
        var bound = new AverageBound(multiple: 2, keep: 0.5);
        Assert.Equal(4, bound.Next(4));
        Assert.Equal(8, bound.Next(100));
        // The mean took 8 for the 100: (4 + 8) / 2, twice that.
        Assert.Equal(12, bound.Next(1));
    }

    [Fact]
    public void VarianceBound_FollowsNoiseAndForgivesALevelThatStays()
    {
        var calm = new VarianceBound(deviations: 3, keep: 0.9, warmUp: 20);
        var noisy = new VarianceBound(deviations: 3, keep: 0.9, warmUp: 20);
        for (var t = 0; t < 20; t++)
        {
            Assert.Equal(double.PositiveInfinity, calm.Next(5));
            noisy.Next(t % 2 == 0 ? 4 : 6);
        }

        Assert.Equal(5, calm.Next(5), 12);
        Assert.InRange(noisy.Next(5), 7, 9);
        double last = 0;
        for (var t = 0; t < 100; t++) last = calm.Next(50);
        Assert.True(last > 49, $"a level of 50 is still bound to {last}");
    }

    [Fact]
    public void HistoryBound_IsAMultipleOfTheMedianBefore()
    {
        var bound = new HistoryBound(multiple: 2, history: 5, least: 3);
        Assert.Equal([double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity, 4, 6],
            new double[] { 1, 2, 3, 1e6, 2 }.Select(bound.Next));
    }

    public static TheoryData<string> Bounds() => ["percentile", "mean", "variance", "history"];

    private static ClipBound Make(string kind) => kind switch
    {
        "percentile" => new PercentileBound(50),
        "mean" => new AverageBound(),
        "variance" => new VarianceBound(),
        _ => new HistoryBound(),
    };

    [Theory]
    [MemberData(nameof(Bounds))]
    public void LearnedBounds_CutTheOutlier_AndNothingElse_AndDoNotLearnNaN(string kind)
    {
        var stage = new ClipByGlobalNorm(Make(kind));
        for (var i = 0; i < 20; i++)
        {
            var usual = Sets.Of([1, 0]);
            stage.Apply(usual);
            Assert.Equal(1, usual.GlobalNorm, 12);
            stage.Apply(Sets.Of([double.NaN, 0]));
        }

        var outlier = Sets.Of([100, 0]);
        stage.Apply(outlier);
        Assert.InRange(outlier.GlobalNorm, 0.999, 2.0001);
    }

    [Theory]
    [MemberData(nameof(Bounds))]
    public void WhatAStageRemembers_IsSavedAndRestored_ToTheBit(string kind)
    {
        GradientPipeline New() => new(
            new ClipByGlobalNorm(Make(kind)), new ClipEachLayer(_ => Make(kind)),
            new ForParameters(p => p.Depth == 1, new ClipEachLayer(_ => Make(kind))));
        var (whole, first) = (New(), New());
        for (var t = 0; t < 15; t++)
        {
            whole.Apply(Sets.Normal(t, 1 + (t % 3)));
            first.Apply(Sets.Normal(t, 1 + (t % 3)));
        }

        var second = New();
        second.Restore(first.Save());
        for (var t = 15; t < 40; t++)
        {
            var (a, b) = (Sets.Normal(t, 1 + (t % 5)), Sets.Normal(t, 1 + (t % 5)));
            whole.Apply(a);
            second.Apply(b);
            Assert.Equal(Sets.Numbers(a), Sets.Numbers(b));
        }

        Assert.Equal(whole.Save(), second.Save());
        Assert.Contains("too few", Assert.Throws<ArgumentException>(() => New().Restore([1.0])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => New().Restore([.. first.Save(), 1]));
    }

    [Fact]
    public void EachLayer_FollowsItsOwnNorms()
    {
        // GP-03: the second layer is a hundred times larger, and only its outlier is one.
        var stage = new ClipEachLayer(_ => new HistoryBound(multiple: 2));
        for (var t = 0; t < 10; t++) stage.Apply(Sets.Of([1, 0], [0, 100]));
        var set = Sets.Of([150, 0], [0, 150]);
        stage.Apply(set);
        Assert.Equal([2, 0, 0, 150], Sets.Numbers(set));
    }

    [Fact]
    public void BoundsBySize_ByDepth_AndByKind()
    {
        var bySize = Sets.Of([3, 4], [10, 10, 10, 10]);
        ClipByNorm.BySize(2).Apply(bySize);
        Assert.Equal(2 * Math.Sqrt(2), bySize.Parts[0].Norm, 12);
        Assert.Equal(4, bySize.Parts[1].Norm, 12);

        var byDepth = Sets.Of([10.0], [10.0], [10.0]);
        ClipByNorm.ByDepth(8, 0.5).Apply(byDepth);
        Assert.Equal([8, 4, 2], Sets.Numbers(byDepth));

        var byKind = new GradientSet(
            [new GradientPart("a", [10], [0], 0) { Kind = "bias" }, new GradientPart("b", [10], [0], 1)], 0);
        ClipByNorm.ByKind(5, new Dictionary<string, double> { ["bias"] = 1 }).Apply(byKind);
        Assert.Equal([1, 5], Sets.Numbers(byKind));
    }

    [Fact]
    public void Hierarchical_BoundsParametersThenLayersThenAll()
    {
        GradientSet Make() => new(
            [
                new GradientPart("l0.w", [30], [0], 0), new GradientPart("l1.w", [3], [0], 1),
                new GradientPart("l0.b", [40], [0], 0),
            ], 0);
        var parts = Make();
        new ClipHierarchically(20, 1e9, 1e9).Apply(parts);
        Assert.Equal([20, 3, 20], Sets.Numbers(parts));
        var layers = Make();
        new ClipHierarchically(1e9, 5, 1e9).Apply(layers);
        Assert.Equal([3, 3, 4], Sets.Numbers(layers).Select(v => Math.Round(v, 12)));
        var all = Make();
        new ClipHierarchically(20, 5, 1).Apply(all);
        Assert.Equal(1, all.GlobalNorm, 12);
        Assert.Equal(1, all.Parts[0].Gradient[0] / all.Parts[2].Gradient[0], 12);
    }

    [Fact]
    public void ElementPercentile_AndOutliers_BoundSingleElements()
    {
        var set = Sets.Of([-9, 1, 2, 3], [0, 0]);
        new ClipByElementPercentile(50).Apply(set);
        Assert.Equal([-3, 1, 2, 3, 0, 0], Sets.Numbers(set));
        // Fifteen of size 1 and one of 100: mean 7.1875, deviation 23.96.
        var outlier = Sets.Of([.. Enumerable.Repeat(-1.0, 15), 100]);
        new ClipOutliers(1).Apply(outlier);
        Assert.Equal(-1, outlier.Parts[0].Gradient[0]);
        Assert.InRange(outlier.Parts[0].Gradient[15], 31, 31.5);
    }

    [Fact]
    public void WeightNorm_BoundsTheShareOfTheWeights_UnitByUnit()
    {
        var set = new GradientSet([new GradientPart("w", [8, 6], [3, 4], 0)], 0);
        new ClipByWeightNorm(0.1).Apply(set);
        Assert.Equal(0.5, set.GlobalNorm, 12);
        var units = new GradientSet([new GradientPart("w", [8, 6, 0.1, 0], [3, 4, 30, 40], 0) { Units = 2 }], 0);
        new ClipByWeightNorm(0.1).Apply(units);
        Assert.Equal([0.4, 0.3, 0.1, 0], Sets.Numbers(units).Select(v => Math.Round(v, 12)));
        var odd = new GradientSet([new GradientPart("w", [8, 6, 1], [3, 4, 1], 0) { Units = 2 }], 0);
        Assert.Contains("w: 3 numbers", Assert.Throws<ArgumentException>(
            () => new ClipByWeightNorm().Apply(odd)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ComplexElements_KeepTheirAngle_AndAreCleanedWhole()
    {
        // CPX-02
        Complex[] z = [new(3, -4), new(0.1, 0.2), new(0, -7)];
        GradientSet Make() => new(
            [new GradientPart("z", [.. z.SelectMany(v => new[] { v.Real, v.Imaginary })], new double[6], 0)
            { IsComplex = true }], 0);
        var byValue = Make();
        new ClipByValue(1).Apply(byValue);
        Assert.Equal([0.6, -0.8, 0.1, 0.2, 0, -1], Sets.Numbers(byValue).Select(v => Math.Round(v, 12)));

        var byNorm = Make();
        new ClipByGlobalNorm(1).Apply(byNorm);
        var norm = Math.Sqrt(z.Sum(v => v.Magnitude * v.Magnitude));
        for (var i = 0; i < z.Length; i++)
        {
            Assert.Equal(z[i].Magnitude / norm, byNorm.Parts[0].SizeAt(i), 12);
            var angle = Math.Atan2(byNorm.Parts[0].Gradient[(2 * i) + 1], byNorm.Parts[0].Gradient[2 * i]);
            Assert.Equal(z[i].Phase, angle, 12);
        }

        var broken = Make();
        broken.Parts[0].Gradient[3] = double.NaN;
        Assert.Equal(1, broken.Parts[0].FirstNotFinite());
        var clean = new CleanGradients(limit: 5);
        clean.Apply(broken);
        Assert.Equal([3, -4, 0, 0, 0, -7], Sets.Numbers(broken));
        Assert.Equal((1, -1), (clean.Changed, broken.Parts[0].FirstNotFinite()));
    }

    [Fact]
    public void BoundsThatMakeNoSense_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new FixedBound(0));
        Assert.Throws<ArgumentException>(() => new PercentileBound(101));
        Assert.Throws<ArgumentException>(() => new PercentileBound(10, 0));
        Assert.Throws<ArgumentException>(() => new AverageBound(1));
        Assert.Throws<ArgumentException>(() => new VarianceBound(-1));
        Assert.Throws<ArgumentException>(() => new HistoryBound(2, history: 3, least: 4));
    }
}

internal static class BoundPlay
{
    public static double Play(this ClipBound bound, params double[] norms)
    {
        var last = 0.0;
        foreach (var norm in norms) last = bound.Next(norm);
        return last;
    }
}
