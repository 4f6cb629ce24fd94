using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>
/// AD-06, AD-16: random masks are a function of seed, step and sample; batch norm follows its batches.
/// </summary>
public sealed class DropoutAndNormTests
{
    private const int Width = 400;

    [Fact]
    public void Masks_FollowSeedStepAndPosition_AndNothingElse()
    {
        var first = Mask(seed: 3, step: 7, position: 10);
        Assert.Equal(first, Mask(seed: 3, step: 7, position: 10));
        Assert.NotEqual(first, Mask(seed: 4, step: 7, position: 10));
        Assert.NotEqual(first, Mask(seed: 3, step: 8, position: 10));
        // Row r of a batch that begins at p has the mask of position p + r.
        Assert.Equal(first[Width..(2 * Width)], Mask(seed: 3, step: 7, position: 11)[..Width]);
        Assert.NotEqual(first[..Width], first[Width..(2 * Width)]);
    }

    [Fact]
    public void Masks_DropTheRateAndScaleTheRest()
    {
        var mask = Mask(seed: 1, step: 1, position: 0);
        Assert.All(mask, m => Assert.True(m is 0 or 1 / 0.75f));
        Assert.InRange(mask.Count(m => m == 0) / (double)mask.Length, 0.22, 0.28);
    }

    /// <summary>In evaluation nothing is dropped: the loss is that of the graph without dropout.</summary>
    [Fact]
    public void Evaluation_DropsNothing()
    {
        Assert.Equal(Loss(0), Loss(0.5));

        static double Loss(double rate)
        {
            var graph = new GraphBuilder();
            var x = graph.Input("x", DType.Float32, Dim.Batch, 12);
            graph.Classify(graph.Dense("head", graph.Dropout(graph.Dense("first", x, 9), rate), 5));
            using var program = TrainProgram.Compile(graph.Build(), 6);
            var batch = program.CreateBatch(6);
            SmallModels.Fill(batch, 0, 6, 5);
            var weights = new float[program.Layout.TotalLength];
            program.Initialize(2, weights);
            return program.Evaluate(batch, weights).LossSum;
        }
    }

    /// <summary>
    /// Running values after one step are the momentum's share of mean and population variance of all samples, whatever
    /// the slices; then tests use them.
    /// </summary>
    [Fact]
    public void RunningValues_FollowTheWholeStep()
    {
        const int Rows = 8;
        var builder = new GraphBuilder();
        Value x = builder.Input("x", DType.Float32, Dim.Batch, 2, 3);
        x = builder.BatchNorm("norm", x, momentum: 0.25);
        builder.Output("logits", x);
        builder.Output("loss_sum", x.Square().Sum([1, 2]).Sum());
        using var program = TrainProgram.Compile(builder.Build(), Rows);
        var batch = program.CreateBatch(Rows);
        batch.Rows = Rows;
        var input = batch.Floats("x");
        for (var i = 0; i < input.Length; i++) input[i] = (float)Math.Sin(i * 0.7) + (i % 6 < 3 ? 100 : 0);
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(1, weights);
        var gradient = new float[weights.Length];
        var slices = new StepSlices(2, 0, [4, 4], [new TreeNode(1, 0)]);
        program.Run(batch, slices, 1, weights, [gradient.AsMemory()], new double[2], null);
        Assert.Equal(["norm.running_mean", "norm.running_var"], program.Statistics.Select(s => s.Name));

        var values = new float[4];
        program.FollowStatistics(weights, gradient, Rows, values);
        for (var c = 0; c < 2; c++)
        {
            double[] all =
                [.. Enumerable.Range(0, Rows).SelectMany(n => Enumerable.Range(0, 3).Select(k => At(batch, n, c, k)))];
            var mean = all.Average();
            var variance = all.Sum(v => (v - mean) * (v - mean)) / (all.Length - 1);
            Assert.Equal(0.25 * mean, values[c], 1e-4 * Math.Max(1, Math.Abs(mean)));
            Assert.Equal(0.75 + (0.25 * variance), values[2 + c], 2e-3 * Math.Max(1, variance));
        }

        foreach (var (slot, from) in program.Statistics.Zip([0, 2]))
            values.AsSpan(from, 2).CopyTo(weights.AsSpan((int)slot.Offset));
        var logits = new float[Rows * 6];
        program.Logits(batch, weights, logits);
        Assert.Equal((At(batch, 3, 1, 2) - values[1]) / Math.Sqrt(values[3] + 1e-5), logits[(3 * 6) + 5], 1e-4);
    }

    /// <summary>In training every slice is normalized by its own samples.</summary>
    [Fact]
    public void ASlice_IsNormalizedByItself()
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", DType.Float32, Dim.Batch, 1);
        var w = builder.Parameter("w", ParameterInit.Ones, 1);
        builder.Output("loss_sum", (builder.BatchNorm("norm", x) * w * x).Sum([1]).Sum());
        using var program = TrainProgram.Compile(builder.Build(), 4);
        var batch = program.CreateBatch(4);
        batch.Rows = 4;
        float[] numbers = [1, 3, 100, 300];
        numbers.CopyTo(batch.Floats("x"));
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(1, weights);
        var loss = new double[2];
        program.Run(
            batch, new StepSlices(2, 0, [2, 2], [new TreeNode(1, 0)]), 1, weights,
            [new float[weights.Length].AsMemory()], loss, null);
        // Two samples become -1 and 1 (but for epsilon), so the loss of a slice is their difference.
        Assert.Equal(2, loss[0], 1e-4);
        Assert.Equal(200, loss[1], 1e-2);
    }

    [Fact]
    public void AStatisticWithoutItsPartner_IsRefused()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float32, Dim.Batch, 2);
        var mean = builder.Parameter("running_mean", ParameterInit.Zeros, 2);
        builder.Output("stat:running_mean", (x - mean).Sum([0]));
        var w = builder.Parameter("w", ParameterInit.Ones, 2);
        builder.Output("loss_sum", (x * w).Sum());
        var refused = Assert.Throws<GraphException>(() => TrainProgram.Compile(builder.Build(), 2));
        Assert.Contains("running_mean has no running_var beside it", refused.Message, StringComparison.Ordinal);
    }

    private static double At(BatchBuffer batch, int n, int c, int k) => batch.Floats("x")[(n * 6) + (c * 3) + k];

    // d loss / d x of loss = Σ dropout(w x) with x = w = 1: the masks of three rows, seen as the gradient of w per row.
    private static float[] Mask(ulong seed, long step, long position)
    {
        const int Rows = 3;
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float32, Dim.Batch, Width);
        var w = builder.Parameter("w", ParameterInit.Ones, Width);
        builder.Output("loss_sum", builder.Dropout(x * w, 0.25).Sum([1]).Sum());
        using var program = TrainProgram.Compile(builder.Build(), Rows);
        program.Seed = seed;
        var batch = program.CreateBatch(Rows);
        batch.Rows = Rows;
        batch.Floats("x").Fill(1);
        batch.FirstPosition = position;
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(1, weights);
        TreeNode[] leaves = [new(0, 0), new(0, 1), new(0, 2)];
        Memory<float>[] gradients = [.. leaves.Select(_ => new float[weights.Length].AsMemory())];
        program.Run(batch, new StepSlices(3, 0, [1, 1, 1], leaves), step, weights, gradients, new double[3], null);
        return [.. gradients.SelectMany(g => g.ToArray()[..Width])];
    }
}
