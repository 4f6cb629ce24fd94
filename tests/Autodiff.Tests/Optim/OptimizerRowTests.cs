using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Tests.Optim;

/// <summary>OPTIM-02 to OPTIM-05: what makes each rule and the warm-up what it is.</summary>
public sealed class OptimizerRowTests
{
    private static double[] Play(UpdateRule rule, double[] w, Func<int, double[]> gradient, int steps,
        params ParameterSpan[] parts) => Play(rule, w, gradient, steps, parts, 0.01);

    private static double[] Play(
        UpdateRule rule, double[] w, Func<int, double[]> gradient, int steps, ParameterSpan[] parts, double rate)
    {
        var state = rule.StateNames.Select(_ => new Memory<double>(new double[w.Length])).ToArray();
        if (parts.Length == 0) parts = [new ParameterSpan(0, w.Length)];
        for (var t = 1; t <= steps; t++) rule.Apply<double>(w, gradient(t), state, new RuleStep(t, rate), parts);
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

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0.2)]
    public void Adafactor_FollowsTheFormulasOfItsPaper(bool relative, double clip)
    {
        // OPTIM-03: against a plain transcription (Shazeer and Stern 2018, algorithms 4 and 5), a matrix of 3 x 10 (a
        // convolution's 3 x 5 x 2 too) and a vector of 4, over several steps.
        const double Rate = 0.02, Decay = 0.1;
        var rule = UpdateRule.Create(new OptimizerSpec
        {
            Kind = "adafactor", Lr = Rate, WeightDecay = Decay, RelativeStep = relative, UpdateClip = clip,
        });
        ParameterSpan[] parts = [new(0, 30, 10), new(30, 4)];
        double[] w = [.. Enumerable.Range(0, 34).Select(i => Math.Sin(i + 1) * 0.3)], plain = [.. w];
        double[] Gradient(int t) => [.. Enumerable.Range(0, 34).Select(i => Math.Cos((i * 0.7) + t))];
        Play(rule, w, Gradient, 5, parts, Rate);

        var (r, c, v) = (new double[3], new double[10], new double[4]);
        for (var t = 1; t <= 5; t++)
        {
            var (g, kept) = (Gradient(t), 1 - Math.Pow(t, -0.8));
            double Followed(double old, IEnumerable<int> over) =>
                (kept * old) + ((1 - kept) * over.Average(k => (g[k] * g[k]) + 1e-30));
            r = [.. r.Select((old, i) => Followed(old, Enumerable.Range(i * 10, 10)))];
            c = [.. c.Select((old, j) => Followed(old, Enumerable.Range(0, 3).Select(i => (i * 10) + j)))];
            v = [.. v.Select((old, k) => Followed(old, [30 + k]))];
            foreach (var (from, count) in new[] { (0, 30), (30, 4) })
            {
                double[] u = [.. Enumerable.Range(0, count).Select(k => g[from + k]
                    / Math.Sqrt(from == 0 ? r[k / 10] * c[k % 10] / r.Average() : v[k]))];
                var cut = Math.Max(1, Math.Sqrt(u.Average(x => x * x)) / clip);
                var size = relative
                    ? Math.Max(1e-3, Math.Sqrt(plain.Skip(from).Take(count).Average(x => x * x)))
                        * Math.Min(Rate, 1 / Math.Sqrt(t))
                    : Rate;
                for (var k = 0; k < count; k++)
                    plain[from + k] -= (size * u[k] / cut) + (Rate * Decay * plain[from + k]);
            }
        }

        Assert.All(plain.Zip(w), p => Assert.Equal(p.First, p.Second, 1e-14));
    }

    [Fact]
    public void Adafactor_HoldsRowsAndColumns_OfEveryTensorWithTwoSides()
    {
        // OPTIM-03: 1,000 + 64 numbers where Adam has 128,000; a convolution is the matrix of its results.
        var b = new GraphBuilder();
        b.Output("y", b.Parameter("w", ParameterInit.Ones, 1000, 64).Sum() + b.Parameter("b", ParameterInit.Ones, 64).Sum()
            + b.Parameter("k", ParameterInit.Ones, 8, 4, 3, 3).Sum());
        var states = Optimizer.Create(new OptimizerSpec { Kind = "adafactor" }, 1, []).States(
            ParameterLayout.Of(b.Build()));
        Assert.Equal(1000 + 64 + 64 + 8 + 36, Assert.Single(states).Length);
        Assert.Equal(["moment2.rows w [1000] 0", "moment2.columns w [64] 1000", "moment2 b [64] 1064",
            "moment2.rows k [8] 1128", "moment2.columns k [36] 1136"],
            states[0].Tensors.Select(t => $"{t.State} {t.Parameter} {t.Shape} {t.Offset}"));
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
}
