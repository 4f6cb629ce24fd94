using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Tests.Optim;

/// <summary>OPTIM-01, OPTIM-04: update rules, schedules.</summary>
public sealed class UpdateRuleTests
{
    // OPTIM-04: a schedule with a state is saved with the training that it belongs to.
    [Fact]
    public void Plateau_GoesOnWhereItWasSaved()
    {
        double[] figures = [5, 4, 4, 4, 4, 3.9, 4, 4, 4, 4];
        PlateauSchedule whole = new(1, factor: 0.5, patience: 2), part = new(1, factor: 0.5, patience: 2);
        for (var i = 0; i < figures.Length; i++)
        {
            if (i == 4)
            {
                var saved = part.Save();
                part = new(1, factor: 0.5, patience: 2);
                part.Restore(saved);
            }

            Assert.Equal(whole.Next(figures[i]), part.Next(figures[i]));
        }

        Assert.Equal(0.25, part.Rate);
        foreach (var none in (double[][])[[], [1, 2], [double.NaN, 1, 1], [1, double.NaN, 1], [1, 1, -1]])
            Assert.Contains("no rate, best figure", Assert.Throws<ArgumentException>(() => part.Restore(none)).Message,
                StringComparison.Ordinal);
        Assert.Equal(0.25, part.Rate);
    }

    [Fact]
    public void Plateau_CutsAfterItsPatience()
    {
        var schedule = new PlateauSchedule(1, factor: 0.5, patience: 1);
        Assert.Equal([1, 1, 0.5, 0.5], new[] { 1.0, 1, 1, 0.5 }.Select(schedule.Next));
    }

    public static TheoryData<string> Kinds() => [.. UpdateRule.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EveryRule_GoesDownhill_AndFloat32FollowsFloat64(string kind)
    {
        var spec = new OptimizerSpec { Kind = kind, Lr = kind == "adadelta" ? 1 : 0.02 };
        var (wide, narrow) = (UpdateRule.Create(spec), UpdateRule.Create(spec));
        ParameterSpan[] parts = [new(0, 6, 3), new(8, 2)];
        double[] w = [1, -2, 3, 1, 0.5, -1, 0, 0, 2, -1];
        float[] v = [.. w.Select(x => (float)x)];
        var state = wide.StateNames.Select(_ => new Memory<double>(new double[w.Length])).ToArray();
        var small = narrow.StateNames.Select(_ => new Memory<float>(new float[w.Length])).ToArray();
        var before = w.Sum(x => x * x);
        for (var t = 1; t <= 30; t++)
        {
            wide.Apply<double>(w, [.. w], state, new RuleStep(t, spec.Lr), parts);
            narrow.Apply<float>(v, [.. v], small, new RuleStep(t, spec.Lr), parts);
        }

        Assert.True(w.Sum(x => x * x) < before, $"{kind} did not go down");
        for (var i = 0; i < w.Length; i++) Assert.Equal(w[i], v[i], 1e-3);
        Assert.Equal((0, 0), (w[6], w[7]));
    }

    [Theory]
    [InlineData("step", 1, 1.0)]
    [InlineData("step", 11, 0.1)]
    [InlineData("multi-step", 21, 0.01)]
    [InlineData("linear", 100, 0)]
    [InlineData("polynomial", 100, 0)]
    [InlineData("constant", 50, 1)]
    [InlineData("cosine-restarts", 11, 1)]
    public void Courses_OfJobs(string kind, long step, double expected)
    {
        var spec =
            new ScheduleSpec
            {
                Kind = kind, Every = 10, Milestones = [5, 20],
                Factor = kind == "cosine-restarts" ? 1 : 0.1
            };
        Assert.Equal(expected, Schedule.RateAt(spec, 1, step, 100), 9);
    }

    // OPTIM-04: rates are numbers; a length that says nothing is refused.
    [Fact]
    public void Courses_OfNoLength_AreRefused_AndARiseOfNoStepsIsOver()
    {
        Assert.Equal(1, Schedule.OneCycle(1, 0, 2, rise: 0.5));
        Assert.Equal(4e-6, Schedule.OneCycle(1, 1, 2, rise: 0.5), 1e-15);
        Func<object>[] all =
        [
            () => Schedule.Step(1, 0, 0, 0.1), () => Schedule.CosineRestarts(1, 0, 3, 0, 1),
            () => Schedule.CosineWave(1, 0, 3, 0),
        ];
        foreach (var one in all)
            Assert.Contains(
                "1 step or more, not 0", Assert.Throws<ArgumentException>(one).Message, StringComparison.Ordinal);
    }
}
