using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Execution.Asynchronous;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Stress;

/// <summary>TEST-05: graphs that are far deeper and wider than any model, load that goes on, and chaos.</summary>
public sealed class StressTests
{
    // Nothing may call itself once for each node: a thread's stack holds some thousand frames.
    private const int Depth = 20_000;

    [Fact]
    public void AVeryDeepGraph_IsBuiltCheckedDifferentiatedCodedAndRun()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float64, Dim.Batch, 2);
        var w = b.Parameter("w", ParameterInit.Zeros, DType.Float64, 2);
        var y = x;
        for (var i = 0; i < Depth; i++) y = i % 2 == 0 ? y + w : y.Negate();
        b.Output("loss_sum", y.Sum());
        var graph = PassPipeline.Training(b.Build());
        Assert.True(graph.Nodes.Length >= Depth);
        Assert.Equal(graph.Nodes.Length, GraphCodec.Decode(GraphCodec.Encode(graph)).Nodes.Length);
        var bindings = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["x"] = Tensor.Of([1.0, 2, 3, 4, 5, 6], 3, 2), ["w"] = Tensor.Of([0.5, -0.25], 2),
        };
        foreach (var schedule in Enum.GetValues<ExecutionSchedule>())
        {
            var outputs = new GraphExecutor(graph, 3, new ExecutorOptions { Schedule = schedule }).Run(bindings);
            // w is added and then negated: each pair takes one more w away from what the next pair gives back.
            Assert.Equal(21, outputs["loss_sum"].At());
            Assert.Equal([0.0, 0], outputs["grad:w"].ToArray<double>());
        }
    }

    [Fact]
    public void AVeryDeepTape_GoesBackward_AndIsReleased()
    {
        var w = new Variable(Tensor.Of([0.5], 1), requiresGradient: true);
        Value y = w;
        for (var i = 0; i < Depth; i++) y = i % 2 == 0 ? y * 1.0 : y.Negate();
        ((Variable)y).Backward();
        Assert.Equal([1.0], w.Gradient!.ToArray<double>());
    }

    [Fact]
    public void AVeryWideGraph_IsOneLevel_InEverySchedule()
    {
        const int width = 3_000;
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 4);
        var parts = new Value[width];
        for (var i = 0; i < width; i++) parts[i] = (x * (i + 1.0)).Sum([1], keep: true);
        b.Output("loss_sum", Functions.Concat(1, parts).Sum());
        b.Output("each", Functions.Concat(1, parts));
        var graph = PassPipeline.Forward(b.Build());
        var bindings = MockTensors.For(graph, 2, 1);
        float[]? expected = null;
        foreach (var schedule in Enum.GetValues<ExecutionSchedule>())
        {
            var outputs = new GraphExecutor(graph, 2, new ExecutorOptions { Schedule = schedule }).Run(bindings);
            var each = outputs["each"].ToArray<float>();
            Assert.Equal(2 * width, each.Length);
            expected ??= each;
            Assert.Equal(expected, each);
        }
    }

    // Chaos: executors that fail, runs that are taken back, a queue that is too short; every run ends in one way, the
    // counts add up, and what has outputs has the right bits.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task UnderChaos_EveryRunEndsOnce_AndWhatIsDoneIsRight(ulong seed)
    {
        const int runs = 2_000;
        var graph = SmallModels.Build("mlp");
        var executors = Enumerable.Range(0, 3)
            .Select(i => new FaultyExecutor(new GraphExecutor(graph, 2), 0.1 * i, seed + (ulong)i)).ToArray();
        await using var pool = new ExecutorPool(executors, new ExecutorPoolOptions { WaitingMax = 16 });
        IReadOnlyDictionary<string, Tensor>[] bindings =
            [.. Enumerable.Range(0, 8).Select(i => MockTensors.For(graph, 2, (ulong)i))];
        int[][] expected = [.. bindings.Select(b => Bits(new GraphExecutor(graph, 2).Run(b)))];
        var chance = new RandomStream(seed, RandomPurpose.TestDouble, 99);
        var (done, failed, cancelled) = (0, 0, 0);
        async Task OneAsync(int run)
        {
            var handle = await pool.SubmitAsync(bindings[run % 8], run % 5, TestContext.Current.CancellationToken);
            if (chance.UniformDouble(run) < 0.1) handle.Cancel();
            try
            {
                Assert.Equal(expected[run % 8], Bits(await handle));
                Interlocked.Increment(ref done);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref cancelled);
            }
            catch (InvalidOperationException)
            {
                Interlocked.Increment(ref failed);
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(async lane =>
        {
            for (var run = lane; run < runs; run += 4) await OneAsync(run);
        }));
        var statistics = pool.Statistics;
        Assert.Equal((runs, done, failed, cancelled, 0, 0), (
            statistics.Submitted, (int)statistics.Done, (int)statistics.Failed, (int)statistics.Cancelled,
            statistics.Waiting, statistics.Running));
        Assert.True(done > runs / 2 && failed > 0 && cancelled > 0);
    }

    // Load that goes on: when a run has ended nobody holds it or what it made, neither pool nor executor.
    [Fact]
    public async Task UnderLoadThatGoesOn_NothingIsHeldOfARunThatHasEnded()
    {
        const int runs = 1_200;
        var graph = PassPipeline.Training(SmallModels.Build("gpt"));
        await using var pool = new ExecutorPool(graph, 2, new ExecutorPoolOptions { Executors = 2, WaitingMax = 8 });
        var bindings = MockTensors.For(graph, 2, 1, below: 11);
        var ended = new List<WeakReference>();
        async Task OneAsync()
        {
            var run = await pool.SubmitAsync(bindings, cancel: TestContext.Current.CancellationToken);
            var outputs = await run;
            lock (ended) ended.AddRange([new WeakReference(run), new WeakReference(outputs)]);
        }

        for (var i = 0; i < runs / 8; i++) await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => OneAsync()));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.Equal((2 * runs, runs), (ended.Count, (int)pool.Statistics.Done));
        // The last ones may be in a register or a frame of a thread.
        Assert.InRange(ended.Count(e => e.IsAlive), 0, 32);
    }

    private static int[] Bits(IReadOnlyDictionary<string, Tensor> outputs) =>
        [.. outputs.OrderBy(o => o.Key, StringComparer.Ordinal)
            .SelectMany(o => o.Value.ToArray<float>()).Select(BitConverter.SingleToInt32Bits)];
}
