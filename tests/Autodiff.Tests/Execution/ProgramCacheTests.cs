using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>EXE-02: compile levels, a cache of compiled graphs, what compiling and running did.</summary>
public sealed class ProgramCacheTests
{
    private readonly StepClock _clock = new();

    [Fact]
    public void TheSameGraph_IsCompiledOnce()
    {
        var cache = new ProgramCache(4, _clock);
        using var first = cache.Compile(SmallModels.Build("mlp"), 24);
        // Built anew: it is the content that counts.
        using var second = cache.Compile(SmallModels.Build("mlp"), 24);
        using var larger = cache.Compile(SmallModels.Build("mlp"), 48);
        using var plainer = cache.Compile(
            SmallModels.Build("mlp"), 24, CompileOptions.Default with { Level = CompileLevel.None });
        Assert.NotSame(first, second);
        Assert.Same(first.Report, second.Report);
        var done = cache.Statistics;
        Assert.Equal((1, 3, 0, 3), (done.Hits, done.Misses, done.Evictions, done.Entries));
        Assert.Equal((0.25, TimeSpan.FromSeconds(3)), (done.HitRate, done.CompileTime));
    }

    [Fact]
    public void ThePlanThatWasAskedForTheLongestTimeAgo_GivesWay()
    {
        var cache = new ProgramCache(2, _clock);
        void Ask(string model) => cache.Compile(SmallModels.Build(model), 8).Dispose();
        Ask("mlp");
        Ask("cnn");
        Ask("mlp"); // cnn is now the oldest
        Ask("gpt");
        Assert.Equal((1, 1, 2), (cache.Statistics.Hits, cache.Statistics.Evictions, cache.Statistics.Entries));
        Ask("mlp");
        Assert.Equal(2, cache.Statistics.Hits);
        Ask("cnn");
        Assert.Equal((2, 4), (cache.Statistics.Hits, cache.Statistics.Misses));
    }

    [Fact]
    public void AGraphThatIsRefused_LeavesNothing()
    {
        var cache = new ProgramCache(2, _clock);
        var b = new GraphBuilder();
        b.Output("y", b.Input("x", DType.Float32, Dim.Batch, 2));
        var graph = b.Build();
        Assert.ThrowsAny<Exception>(() => cache.Compile(graph, 8));
        Assert.Equal((0, 0), (cache.Statistics.Entries, cache.Statistics.Misses));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProgramCache(0, _clock));
    }

    // Levels differ in work, never in bits.
    [Theory]
    [InlineData("mlp")]
    [InlineData("cnn")]
    [InlineData("gpt")]
    public void EveryLevel_HasTheSameBits(string model)
    {
        var (none, basic, full) =
            (Train(model, CompileLevel.None), Train(model, CompileLevel.Simplify), Train(model, CompileLevel.Full));
        Assert.Equal(full.Bits, basic.Bits);
        Assert.Equal(full.Bits, none.Bits);
        Assert.True(none.Nodes >= basic.Nodes && basic.Nodes >= full.Nodes, $"{none.Nodes} {basic.Nodes} {full.Nodes}");
        Assert.True(none.Nodes > full.Nodes);
        Assert.Equal((3, 1), (full.Runs, full.Forms));
    }

    private static (int[] Bits, int Nodes, long Runs, int Forms) Train(string model, CompileLevel level)
    {
        const int rows = 16;
        using var program = TrainProgram.Compile(
            SmallModels.Build(model), rows, CompileOptions.Default with { Level = level });
        var batch = program.CreateBatch(rows);
        SmallModels.Fill(batch, 0, rows, SmallModels.Classes(model));
        var (weights, gradient, losses) =
            (new float[program.Layout.TotalLength], new float[program.Layout.TotalLength], new double[1]);
        program.Initialize(1, weights);
        var share = StepSlices.Single(rows);
        for (var t = 1; t <= 3; t++)
        {
            program.Run(batch, share, t, weights, [gradient], losses, null);
            for (var i = 0; i < weights.Length; i++) weights[i] -= 0.01f * gradient[i];
        }

        return ([.. weights.Select(BitConverter.SingleToInt32Bits)], program.Report.Passes[^1].NodesAfter,
            program.Runs, program.Forms);
    }

    /// <summary>A second passes whenever it is looked at twice.</summary>
    private sealed class StepClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _ticks++;
    }
}
