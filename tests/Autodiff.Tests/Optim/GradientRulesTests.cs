using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Tape;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;

namespace Convoy.Autodiff.Tests.Optim;

/// <summary>GP-01..04, GP-07, GP-08, MON-07: what the keys of a job do to its gradient.</summary>
public sealed class GradientRulesTests
{
    private const double Weight = 4;
    private static readonly ModelSpec Model = new() { Family = "mlp", Layers = [6, 5, 3] };

    [Fact]
    public void WithoutKeys_TheReducedGradientIsUsedAsItIs()
    {
        using var run = new Run(new JobSpec());
        var prepared = run.Rules.Prepare(run.Gradient(1), run.Weights, 1, Weight);
        Assert.False(run.Rules.IsActive);
        Assert.Equal(Weight, prepared.Weight);
        Assert.True(prepared.Values == run.Gradient(1).AsSpan() || prepared.Values.SequenceEqual(run.Gradient(1)));
    }

    [Fact]
    public void Clipping_BoundsElementsParametersLayersAndUnits()
    {
        Assert.All(Prepared(new ClipSpec { Value = 0.01 }, out _), v => Assert.InRange(Math.Abs(v), 0, 0.0100001));
        var byParameter = Prepared(new ClipSpec { ParameterNorm = 0.02 }, out var program);
        Assert.All(program.Layout.Slots, s => Assert.InRange(Norm(byParameter, s), 0, 0.0200001));
        var byLayer = Prepared(new ClipSpec { LayerNorm = 0.02 }, out program);
        foreach (var layer in program.Layout.Slots.GroupBy(s => s.Name[..s.Name.LastIndexOf('.')]))
            Assert.Equal(0.02, Math.Sqrt(layer.Sum(s => Math.Pow(Norm(byLayer, s), 2))), 1e-6);
        var byUnit = Prepared(new ClipSpec { WeightNorm = 0.01 }, out program);
        var plain = Prepared(new ClipSpec { Value = 1e9 }, out _);
        Assert.True(Norm(byUnit, program.Layout.Slots[0]) < 0.1 * Norm(plain, program.Layout.Slots[0]));
    }

    /// <summary>
    /// GP-02: what a bound has learned lies in the weights, so another worker goes on with the same bits.
    /// </summary>
    [Theory]
    [InlineData(40.0, 0.0)]
    [InlineData(0.0, 1.2)]
    public void LearnedBounds_AreStateOfTheJob(double percentile, double average)
    {
        var job = new JobSpec { Clip = new ClipSpec { Percentile = percentile, Window = 4, Average = average } };
        using var steady = new Run(job);
        for (var step = 1; step <= 6; step++) steady.Step(step);
        // Another process takes over the weights after six steps; nothing else.
        using var joined = new Run(job);
        steady.Weights.CopyTo(joined.Weights, 0);
        var clipped = false;
        for (var step = 7; step <= 12; step++)
        {
            var own = steady.Step(step);
            Assert.Equal(own, joined.Step(step));
            clipped |= Math.Abs(own[0]) < Math.Abs(steady.Gradient(step)[0] / Weight) * 0.99;
        }

        Assert.True(clipped, "some step is clipped");
        Assert.Equal(steady.Weights, joined.Weights);
    }

    [Fact]
    public void ASkippedStep_IsNotRemembered()
    {
        using var run = new Run(new JobSpec { Clip = new ClipSpec { Percentile = 40, Window = 4 } });
        run.Step(1);
        var before = run.Weights.ToArray();
        run.Rules.Prepare(run.Gradient(2), run.Weights, 2, Weight); // and no Finish
        Assert.Equal(before, run.Weights);
        using var other = new Run(new JobSpec { Clip = new ClipSpec { Percentile = 40, Window = 4 } });
        other.Step(1);
        Assert.Equal(run.Step(3), other.Step(3));
    }

    [Fact]
    public void LearnedBounds_NeedTheirPlaceInTheGraph()
    {
        var refused = Assert.Throws<UserException>(() => new GradientRules(
            new JobSpec { Clip = new ClipSpec { Average = 2 } },
            TrainProgram.Compile(ModelCatalog.Build(new JobSpec { Model = Model }, new DataShape([6], 3)), 4)));
        Assert.Equal(ExitCode.BadJob, refused.Code);
        Assert.Contains("update.memory", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Noise_IsAFunctionOfSeedAndStep()
    {
        var job = new JobSpec { Seed = 5, Gradient = new GradientSpec { Noise = 0.01 } };
        using var run = new Run(job);
        var first = run.Rules.Prepare(run.Gradient(1), run.Weights, 1, Weight).Values.ToArray();
        Assert.Equal(first, run.Rules.Prepare(run.Gradient(1), run.Weights, 1, Weight).Values.ToArray());
        Assert.NotEqual(first, run.Rules.Prepare(run.Gradient(1), run.Weights, 2, Weight).Values.ToArray());
        using var seeded = new Run(job with { Seed = 6 });
        Assert.NotEqual(first, seeded.Rules.Prepare(run.Gradient(1), run.Weights, 1, Weight).Values.ToArray());
        var noise = first.Select((v, i) => v - (run.Gradient(1)[i] / Weight)).Where(v => v != 0).ToArray();
        var deviation = Math.Sqrt(noise.Average(v => v * v));
        Assert.InRange(deviation, 0.5 * Math.Sqrt(0.01 / Math.Pow(2, 0.55)), 1.5 * Math.Sqrt(0.01 / Math.Pow(2, 0.55)));
    }

    [Fact]
    public void NotANumber_SkipsStopsOrIsCleaned()
    {
        float[] Poisoned(Run run)
        {
            var gradient = run.Gradient(1);
            gradient[2] = float.NaN;
            return gradient;
        }

        using var skip = new Run(new JobSpec());
        Assert.Contains(skip.Rules.Prepare(Poisoned(skip), skip.Weights, 1, Weight).Values.ToArray(), float.IsNaN);
        using var clean = new Run(new JobSpec { Gradient = new GradientSpec { NonFinite = "clean" } });
        var cleaned = clean.Rules.Prepare(Poisoned(clean), clean.Weights, 1, Weight).Values.ToArray();
        Assert.Equal(0, cleaned[2]);
        Assert.All(cleaned, v => Assert.True(float.IsFinite(v)));
        using var stop = new Run(new JobSpec { Gradient = new GradientSpec { NonFinite = "stop" } });
        var refused = Assert.Throws<UserException>(
            () => { stop.Rules.Prepare(Poisoned(stop), stop.Weights, 3, Weight); });
        Assert.StartsWith("step 3: element 2 of the gradient of dense1.weight is NaN", refused.Message,
            StringComparison.Ordinal);
    }

    /// <summary>MON-07: a compiled step names the operator in which the first NaN arose.</summary>
    [Fact]
    public void Anomalies_NameOperatorAndStep()
    {
        using var run = new Run(new JobSpec());
        run.Program.FindsAnomalies = true;
        var batch = run.Program.CreateBatch(4);
        SmallModels.Fill(batch, 0, 4, 3);
        float[] gradient = new float[run.Weights.Length];
        run.Program.Run(batch, StepSlices.Single(4), 8, run.Weights, [gradient.AsMemory()], new double[1], null);
        batch.Floats("x")[0] = float.NaN;
        var found = Assert.Throws<AnomalyException>(() => run.Program.Run(
            batch, StepSlices.Single(4), 9, run.Weights, [gradient.AsMemory()], new double[1], null));
        Assert.StartsWith("step 9: linear (", found.Message, StringComparison.Ordinal);
        Assert.Contains("element 0 of its operand 0", found.Message, StringComparison.Ordinal);
        Assert.EndsWith("look at the data", found.Message, StringComparison.Ordinal);
        run.Weights[1] = float.NaN;
        Assert.Contains("element 1 of the weights is NaN before the step", Assert.Throws<AnomalyException>(
            () => run.Program.Run(batch, StepSlices.Single(4), 10, run.Weights, [gradient.AsMemory()],
                new double[1], null))
            .Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheAverage_StartsWithTheFirstWeights()
    {
        var average = new RunningAverage(0.75);
        var values = new float[2];
        Assert.True(RunningAverage.IsUnset(values));
        average.Follow([4, 8], values);
        Assert.Equal([4f, 8], values);
        average.Follow([0, 4], values);
        Assert.Equal([3f, 7], values);
    }

    private static float[] Prepared(ClipSpec clip, out TrainProgram program)
    {
        var run = new Run(new JobSpec { Clip = clip });
        program = run.Program;
        return run.Rules.Prepare(run.Gradient(1), run.Weights, 1, Weight).Values.ToArray();
    }

    private static double Norm(float[] flat, ParameterSlot slot) =>
        Math.Sqrt(flat.AsSpan((int)slot.Offset, (int)slot.Length).ToArray().Sum(v => (double)v * v));

    /// <summary>A model with weights, and gradients whose norms differ from step to step.</summary>
    private sealed class Run : IDisposable
    {
        public Run(JobSpec job)
        {
            job = job with { Model = Model };
            Program = TrainProgram.Compile(ModelCatalog.Build(job, new DataShape([6], 3)), 4);
            Rules = new GradientRules(job, Program);
            Weights = new float[Program.Layout.TotalLength];
            Program.Initialize(1, Weights);
        }

        public TrainProgram Program { get; }
        public GradientRules Rules { get; }
        public float[] Weights { get; }

        public float[] Gradient(int step)
        {
            var gradient = new float[Program.Layout.TotalLength];
            var stream = new RandomStream(9, RandomPurpose.Mask, (ulong)step);
            foreach (var slot in Program.Layout.Slots)
            {
                if (slot.Name == UpdateMemory.Name) continue;
                stream.FillNormal(gradient.AsSpan((int)slot.Offset, (int)slot.Length), slot.Offset, 1 + (step * 7 % 5));
            }

            return gradient;
        }

        public float[] Step(int step)
        {
            var prepared = Rules.Prepare(Gradient(step), Weights, step, Weight).Values.ToArray();
            for (var i = 0; i < prepared.Length; i++) Weights[i] -= 0.01f * prepared[i];
            Rules.Finish(Weights);
            return prepared;
        }

        public void Dispose() => Program.Dispose();
    }
}
