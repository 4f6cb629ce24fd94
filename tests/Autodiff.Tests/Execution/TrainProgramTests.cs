using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

// EXE-01, DIST-10: a compiled program; parameters are told as soon as their gradients are final.
public sealed class TrainProgramTests
{
    [Theory]
    [InlineData("mlp")]
    [InlineData("cnn")]
    [InlineData("gpt")]
    public void Training_LowersTheLoss(string model)
    {
        using var program = TrainProgram.Compile(SmallModels.Build(model), 16);
        var batch = program.CreateBatch(16);
        SmallModels.Fill(batch, 0, 16, SmallModels.Classes(model));
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(2, weights);
        var gradient = new float[weights.Length];
        var optimizer = Optimizer.Create(new OptimizerSpec { Lr = 0.02 }, 60);
        Memory<float>[] state = [new float[weights.Length], new float[weights.Length]];
        var loss = new double[1];
        var first = program.Evaluate(batch, weights).Loss;
        for (var t = 1; t <= 60; t++)
        {
            program.Run(batch, StepSlices.Single(16), t, weights, [gradient], loss, null);
            optimizer.Apply(weights, gradient, state, t, 1 / (16 * program.WeightPerSample));
        }

        var last = program.Evaluate(batch, weights);
        Assert.True(last.Loss < first / 3, $"{first} to {last.Loss}");
        Assert.True(last.Accuracy > 0.9, $"{last.Accuracy}");
    }

    [Fact]
    public void ParametersAreReadyOnce_LastLayersFirst()
    {
        using var program = TrainProgram.Compile(SmallModels.Build("mlp"), 4);
        var batch = program.CreateBatch(4);
        SmallModels.Fill(batch, 0, 4, 5);
        var heard = new Heard();
        var gradient = new float[program.Layout.TotalLength];
        program.Run(batch, StepSlices.Single(4), 1, new float[gradient.Length], [gradient], new double[1], heard);
        Assert.Equal(Enumerable.Range(0, 6), heard.Slots.Order());
        Assert.True(heard.Slots.IndexOf(4) < heard.Slots.IndexOf(0));
    }

    [Fact]
    public void AnUnusedParameter_HasAZeroGradient_AndGapsAreZeros()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 3);
        b.Parameter("unused", ParameterInit.Ones, 5);
        b.Output("loss_sum", x.Linear(b.Parameter("w", ParameterInit.Ones, 1, 3)).Sum());
        using var program = TrainProgram.Compile(b.Build(), 2);
        var batch = program.CreateBatch(2);
        batch.Rows = 2;
        batch.Floats("x").Fill(2);
        var gradient = new float[program.Layout.TotalLength];
        gradient.AsSpan().Fill(99);
        var heard = new Heard();
        program.Run(batch, StepSlices.Single(2), 1, new float[gradient.Length], [gradient], new double[1], heard);
        Assert.Equal([0f, 0, 0, 0, 0], gradient[..5]);
        Assert.Equal([4f, 4, 4], gradient[16..19]);
        Assert.All(gradient[19..], g => Assert.Equal(0, g));
        Assert.Equal(2, heard.Slots.Count);
    }

    [Fact]
    public void FirstWeights_FollowFromTheSeed()
    {
        using var program = TrainProgram.Compile(SmallModels.Build("gpt"), 2);
        var (a, b, c) = (new float[program.Layout.TotalLength], new float[program.Layout.TotalLength],
            new float[program.Layout.TotalLength]);
        program.Initialize(1, a);
        program.Initialize(1, b);
        program.Initialize(2, c);
        Assert.Equal(a, b);
        Assert.NotEqual(a, c);
        var tokens = program.Layout.Slots[0];
        var spread = a.AsSpan((int)tokens.Offset, (int)tokens.Length).ToArray().Average(v => v * v);
        Assert.InRange(Math.Sqrt(spread), 0.015, 0.025);
        Assert.All(program.Layout.Slots, s => Assert.Equal(0, s.Offset % 16));
    }

    [Fact]
    public void RowsVaryFromCallToCall()
    {
        using var program = TrainProgram.Compile(SmallModels.Build("cnn"), 8);
        var batch = program.CreateBatch(8);
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(1, weights);
        var losses = new List<double>();
        foreach (var rows in new[] { 8, 3, 8, 0, 3 })
        {
            SmallModels.Fill(batch, 0, rows, 5);
            losses.Add(program.Evaluate(batch, weights).LossSum);
        }

        Assert.Equal(losses[0], losses[2]);
        Assert.Equal(losses[1], losses[4]);
        Assert.Equal(0, losses[3]);
    }

    [Fact]
    public void LossesThatAreNoSums_AreRefused()
    {
        var mean = new GraphBuilder();
        var x = mean.Input("x", DType.Float32, Dim.Batch, 3);
        mean.Output("loss_sum", x.Linear(mean.Parameter("w", ParameterInit.Ones, 1, 3)).Sum() * 0.5);
        Assert.Throws<GraphException>(() => TrainProgram.Compile(mean.Build(), 2));

        // The spread over the batch: the gradient of a sample depends on the others.
        var spread = new GraphBuilder();
        x = spread.Input("x", DType.Float32, Dim.Batch, 3);
        var y = x.Linear(spread.Parameter("w", ParameterInit.Ones, 1, 3));
        spread.Output("loss_sum", (y - y.Sum([0])).Square().Sum());
        var refused = Assert.Throws<GraphException>(() => TrainProgram.Compile(spread.Build(), 2));
        Assert.Contains("how the batch is cut", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongCalls_NameTheRule()
    {
        using var program = TrainProgram.Compile(SmallModels.Build("mlp"), 4);
        var batch = program.CreateBatch(4);
        batch.Rows = 3;
        var weights = new float[program.Layout.TotalLength];
        var wrong = Assert.Throws<InvariantException>(
            () => program.Run(batch, StepSlices.Single(4), 1, weights, [weights.ToArray()], new double[1], null));
        Assert.StartsWith("EX-3", wrong.Message, StringComparison.Ordinal);
        wrong = Assert.Throws<InvariantException>(
            () => program.Run(batch, StepSlices.Single(3), 1, weights, [], new double[1], null));
        Assert.StartsWith("EX-4", wrong.Message, StringComparison.Ordinal);
        Assert.Throws<InvariantException>(() => batch.Rows = 5);
        Assert.Throws<ArgumentException>(() => batch.Ints("x").Length);
    }

    [Fact]
    public void MemoryIsReused()
    {
        using var program = TrainProgram.Compile(SmallModels.Build("gpt"), 16);
        var (planned, without) = program.MemoryBytes;
        Assert.True(planned < without * 0.7, $"{planned} of {without}");
    }

    private sealed class Heard : IGradientObserver
    {
        public List<int> Slots { get; } = [];

        public void OnParameterReady(int slot) => Slots.Add(slot);
    }
}
