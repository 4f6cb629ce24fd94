using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Execution.Asynchronous;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Checking;

/// <summary>TEST-04, TEST-07: the kit that every executor must pass, and that it finds those that do not.</summary>
public sealed class ExecutorConformanceTests
{
    [Theory]
    [InlineData(ExecutionSchedule.Sequential)]
    [InlineData(ExecutionSchedule.Parallel)]
    [InlineData(ExecutionSchedule.CostBased)]
    [InlineData(ExecutionSchedule.WorkStealing)]
    [InlineData(ExecutionSchedule.MemoryFrugal)]
    public void EverySchedule_Conforms(ExecutionSchedule schedule)
    {
        using var team = new ThreadTeam(2);
        using var together = team.Enter();
        var options = new ExecutorOptions { Schedule = schedule, ParallelFlopsMin = 0 };
        AssertHolds(ExecutorConformance.Check((graph, rows) => new GraphExecutor(graph, rows, options)));
    }

    [Fact]
    public void ResultsFromAPool_Conform()
    {
        var pool = new BufferPool();
        var options = new ExecutorOptions { Schedule = ExecutionSchedule.Sequential, Buffers = pool };
        AssertHolds(ExecutorConformance.Check((graph, rows) => new GraphExecutor(graph, rows, options)));
    }

    [Fact]
    public async Task ExecutorsInTheBackground_Conform()
    {
        var pools = new List<ExecutorPool>();
        AssertHolds(ExecutorConformance.Check((graph, rows) =>
        {
            var pool = new ExecutorPool(graph, rows, new ExecutorPoolOptions { Executors = 2 });
            pools.Add(pool);
            return new Pooled(graph, rows, pool);
        }));
        foreach (var pool in pools) await pool.DisposeAsync();
    }

    // Each rule has an executor that breaks it and nothing that the yardstick needs.
    [Theory]
    [InlineData("operators", "operators")]
    [InlineData("gradients", "gradients")]
    [InlineData("some rows", "any number of rows")]
    [InlineData("shared outputs", "outputs")]
    [InlineData("writes into bindings", "bindings are only read")]
    [InlineData("ignores strides", "views")]
    [InlineData("forgets an output", "names")]
    [InlineData("takes anything", "bad bindings")]
    [InlineData("never stops", "cancellation")]
    public void WhoBreaksARule_IsFound(string how, string rule)
    {
        var results = ExecutorConformance.Check((graph, rows) => new Broken(new GraphExecutor(graph, rows), how));
        Assert.False(results.Single(r => r.Rule == rule).Holds, $"{rule} did not see that the executor {how}");
    }

    [Fact]
    public void ARoundingDevice_ConformsWithinATolerance()
    {
        NewExecutor make = (graph, rows) => new Broken(new GraphExecutor(graph, rows), "rounds");
        Assert.Contains(ExecutorConformance.Check(make), r => !r.Holds);
        AssertHolds(ExecutorConformance.Check(make, tolerance: 1e-6));
    }

    [Fact]
    public void TheDummy_HasTheRightTypes_AndNothingElse()
    {
        var graph = SmallModels.Build("mlp");
        var dummy = new DummyExecutor(graph, 3);
        var outputs = dummy.Run(MockTensors.For(graph, 3, 1));
        var real = new GraphExecutor(graph, 3).Run(MockTensors.For(graph, 3, 1));
        Assert.Equal(
            real.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => (o.Key, o.Value.Type.Text)),
            outputs.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => (o.Key, o.Value.Type.Text)));
        Assert.All(
            outputs.Values.SelectMany(t => t.Cast(DType.Float64).ToArray<double>()), x => Assert.Equal(0, x));
        Assert.Equal(1, dummy.Runs);
        Assert.False(ExecutorConformance.Check((g, rows) => new DummyExecutor(g, rows))[0].Holds);
    }

    private static void AssertHolds(IReadOnlyList<ConformanceResult> results)
    {
        Assert.Equal(9, results.Count);
        Assert.All(results, r => Assert.True(r.Holds, $"{r.Rule}: {string.Join("\n", r.Faults)}"));
    }

    private sealed class Pooled(Graph graph, int rows, ExecutorPool pool) : IExecutor
    {
        public Graph Graph => graph;
        public int Rows => rows;

        public IReadOnlyDictionary<string, Tensor> Run(
            IReadOnlyDictionary<string, Tensor> bindings, CancellationToken cancel = default)
        {
            cancel.ThrowIfCancellationRequested();
            var run = pool.Submit(bindings);
            using var registration = cancel.Register(() => run.Cancel());
            return run.Result.GetAwaiter().GetResult();
        }
    }

    private sealed class Broken(GraphExecutor inner, string how) : IExecutor
    {
        private IReadOnlyDictionary<string, Tensor>? _last;

        public Graph Graph => inner.Graph;
        public int Rows => inner.Rows;

        public IReadOnlyDictionary<string, Tensor> Run(
            IReadOnlyDictionary<string, Tensor> bindings, CancellationToken cancel = default)
        {
            if (how == "never stops") cancel = default;
            if (how == "takes anything" && !bindings.ContainsKey("w0")) bindings = MockTensors.For(Graph, Rows, 1);
            if (how == "ignores strides")
                bindings = bindings.ToDictionary(b => b.Key, b => b.Value.IsContiguous ? b.Value : Shuffled(b.Value));
            var outputs = inner.Run(bindings, cancel).ToDictionary(o => o.Key, o => o.Value);
            var isTowers = outputs.ContainsKey("each");
            if (how == "operators" && !isTowers) Disturb(outputs["y0"]);
            if (how == "gradients" && isTowers) Disturb(outputs["grad:w1"]);
            if (how == "some rows" && Rows == 33) Disturb(outputs["each"]);
            if (how == "writes into bindings") Disturb(bindings.Values.First());
            if (how == "forgets an output") outputs.Remove("each");
            if (how == "rounds") foreach (var output in outputs.Values) Round(output);
            if (how == "shared outputs" && _last is not null)
                foreach (var (name, output) in outputs) _last[name].CopyFrom(output);
            _last = outputs;
            return outputs;
        }

        private static Tensor Shuffled(Tensor view) => view.Transpose(1, 0).Contiguous().Reshape(view.Shape);

        private static void Disturb(Tensor tensor)
        {
            if (tensor.Count == 0) return;
            if (tensor.DType == DType.Float32) tensor.Writable<float>()[0] += 1;
            if (tensor.DType == DType.Float64) tensor.Writable<double>()[0] += 1;
        }

        private static void Round(Tensor tensor)
        {
            if (tensor.DType != DType.Float32) return;
            foreach (ref var x in tensor.Writable<float>()) x *= 1 + 1e-7f;
        }
    }
}
