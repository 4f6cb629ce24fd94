using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Optim.Gradients;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Tests.Optim;

/// <summary>OPTIM-02 to OPTIM-06: what makes each rule, warm-up and accumulator what it is.</summary>
public sealed class OptimizerRowTests
{
    private static double[] Play(UpdateRule rule, double[] w, Func<int, double[]> gradient, int steps,
        params ParameterSpan[] parts)
    {
        var state = rule.StateNames.Select(_ => new Memory<double>(new double[w.Length])).ToArray();
        if (parts.Length == 0) parts = [new ParameterSpan(0, w.Length)];
        for (var t = 1; t <= steps; t++) rule.Apply<double>(w, gradient(t), state, new RuleStep(t, 0.01), parts);
        return w;
    }

    [Fact]
    public void RAdam_IsMomentumAlone_UntilTheVarianceCanBeTrusted()
    {
        // OPTIM-02: with beta2 = 0.999 the rectified length passes 5 in step 6. Before it a tenfold gradient makes a
        // tenfold step; after it the size of the gradient is divided out again.
        double[] Moved(double size, int steps)
        {
            var rule = UpdateRule.Create(new OptimizerSpec { Kind = "radam", Lr = 0.01 });
            return Play(rule, [0, 0], t => [size * t, -size * (3 - t)], steps);
        }

        for (var steps = 1; steps <= 5; steps++)
            Assert.All(Moved(1, steps).Zip(Moved(10, steps)), p => Assert.Equal(10 * p.First, p.Second, 1e-12));
        double[] Last(double size) => [.. Moved(size, 6).Zip(Moved(size, 5), (after, before) => after - before)];
        Assert.All(Last(1).Zip(Last(10)), p => Assert.Equal(p.First, p.Second, 1e-6));
        // The first step is the rate times the gradient: no division at all.
        Assert.Equal([-0.01, 0.02], Moved(1, 1).Select(v => Math.Round(v, 12)));
    }

    [Fact]
    public void Lamb_MovesEachParameterByARateOfItsOwnNorm()
    {
        // OPTIM-03: whatever the size of its gradient.
        double[] w = [3, 4, 300, 400], before = [.. w];
        var rule = UpdateRule.Create(new OptimizerSpec { Kind = "lamb", Lr = 0.01, WeightDecay = 0 });
        Play(rule, w, _ => [1, 1, 1e-3, 5e3], 1, new ParameterSpan(0, 2), new ParameterSpan(2, 2));
        double Step(int from) => Math.Sqrt(Enumerable.Range(from, 2).Sum(i => Math.Pow(w[i] - before[i], 2)));
        Assert.Equal(0.01 * 5, Step(0), 1e-12);
        Assert.Equal(0.01 * 500, Step(2), 1e-9);
    }

    [Fact]
    public void Adafactor_RemembersRowsAndColumnsOfAMatrixOnly()
    {
        // OPTIM-03: 6 + 8 numbers for 48 weights, where Adam has 96.
        var rule = UpdateRule.Create(new OptimizerSpec { Kind = "adafactor", Lr = 0.01 });
        var (w, state) = (new double[48], new Memory<double>(new double[48]));
        double[] g = [.. Enumerable.Range(0, 48).Select(i => (1 + (i / 8)) * (0.5 + (i % 8)))];
        ParameterSpan[] matrix = [new ParameterSpan(0, 48, 8)];
        rule.Apply<double>(w, g, [state], new RuleStep(1, 0.01), matrix);
        Assert.Equal(["moment2"], rule.StateNames);
        Assert.Equal(14, state.ToArray().Count(v => v != 0));
        // A gradient whose squares are a product of rows and columns is divided by exactly its size.
        Assert.All(w, v => Assert.Equal(-0.01, v, 1e-9));
    }

    public static TheoryData<string> Courses() => [.. Schedule.Kinds];

    [Theory]
    [MemberData(nameof(Courses))]
    public void WarmUp_GoesAroundEverySchedule(string kind)
    {
        // OPTIM-04, OPTIM-05: a straight line to the rate with which the course starts, then the course, which takes
        // the steps that are left.
        ScheduleSpec Spec(int warmup) => new() { Kind = kind, Warmup = warmup, Every = 10, Milestones = [5, 20] };
        for (var t = 1; t < 20; t++) Assert.Equal(0.1 * t / 20, Schedule.RateAt(Spec(20), 0.1, t, 120), 1e-15);
        for (var t = 20; t <= 120; t++)
            Assert.Equal(Schedule.RateAt(Spec(1), 0.1, t - 19, 101), Schedule.RateAt(Spec(20), 0.1, t, 120), 1e-15);
        Assert.True(Schedule.Kinds.Count >= 5);
    }

    [Theory]
    [InlineData(false, 9, 12)]
    [InlineData(true, 3, 4)]
    public void Accumulator_SumsOrAverages_ReleasesAtItsTarget_AndStartsAgain(bool average, double first, double second)
    {
        // OPTIM-06
        var sum = new GradientAccumulator(3, average);
        for (var round = 0; round < 2; round++)
        {
            Assert.Null(sum.Add([[2.0], [3.0]]));
            Assert.Null(sum.Add([[3.0], [4.0]]));
            Assert.Equal(2, sum.Count);
            var whole = sum.Add([[4.0], [5.0]])!;
            Assert.Equal((first, second), (whole[0][0], whole[1][0]));
            Assert.Equal(0, sum.Count);
        }

        sum.Add([[9.0], [9.0]]);
        sum.Clear();
        Assert.Equal(0, sum.Count);
        Assert.Null(sum.Add([[2.0], [3.0]]));
        Assert.Throws<ArgumentException>(() => sum.Add([[2.0]]));
    }
}
