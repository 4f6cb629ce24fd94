using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>
/// MON-07, MEM-13: times, operations and bytes of a compiled program's steps, while the profile is on.
/// </summary>
public sealed class ProgramProfileTests
{
    private const int Rows = 12;

    [Theory]
    [InlineData("mlp")]
    [InlineData("cnn")]
    [InlineData("gpt")]
    [InlineData("tied")]
    public void EachStepIsTimed_WhileItIsOn_AndNoBitChanges(string model)
    {
        using var run = new Training(model);
        var plain = run.Step();
        var profile = new ProgramProfile(run.Program, new SteppingClock());
        Assert.Empty(profile.Timings);
        using (profile.Start())
        {
            Assert.Equal(plain, run.Step());
            Assert.Equal(plain, run.Step());
        }

        run.Step();
        Assert.Equal(2, profile.Steps);
        Assert.NotEmpty(profile.Timings);
        Assert.All(profile.Timings, t =>
            Assert.Equal((2, 2.0, 1.0, 1.0, 1.0), (t.Calls, t.TotalMs, t.MinMs, t.MaxMs, t.MeanMs)));
        Assert.Equal(profile.Timings.Sum(t => t.TotalMs), profile.Operators.Sum(t => t.TotalMs));
        Assert.Equal(profile.Timings.Sum(t => t.Flops), profile.Operators.Sum(t => t.Flops));
        Assert.Contains(profile.Operators, t => t is { Operator: "linear" or "matmul", Flops: > 0, Bytes: > 0 });
        profile.Clear();
        Assert.Equal((0, 0), (profile.Steps, profile.Timings.Count));
    }

    [Fact]
    public void TheWorkIsThatOfTheGraph()
    {
        using var run = new Training("mlp");
        var profile = new ProgramProfile(run.Program, new SteppingClock());
        using (profile.Start()) run.Step();
        var graph = PassPipeline.Training(SmallModels.Build("mlp"));
        var expected = graph.Nodes.Where(n => n.Op == OpTable.Linear).Sum(n => n.Op.Cost(
            n.Attributes, [.. n.Inputs.Select(graph.TypeOf)], [.. n.Types], Rows).Flops);
        var linear = profile.Operators.Single(t => t.Operator == "linear");
        Assert.Equal(expected, linear.Flops);
        // 12 to 20 to 7 to 5: a product takes 2 operations a row and weight, and a little for its bias.
        var products = 2 * Rows * ((12 * 20) + (20 * 7) + (7 * 5));
        Assert.InRange(linear.Flops, products, products * 1.2);
    }

    [Fact]
    public void NothingIsAllocated_OnOrOff()
    {
        using var run = new Training("cnn");
        var profile = new ProgramProfile(run.Program, new SteppingClock());
        long Bytes()
        {
            run.Run();
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 5; i++) run.Run();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, Bytes());
        using var scope = profile.Start();
        Assert.Equal(0, Bytes());
    }

    [Fact]
    public void Scopes_Nest()
    {
        using var run = new Training("mlp");
        var (outer, inner) = (new ProgramProfile(run.Program, new SteppingClock()),
            new ProgramProfile(run.Program, new SteppingClock()));
        using (outer.Start())
        {
            using (inner.Start()) run.Step();
            run.Step();
            run.Step();
        }

        Assert.Equal((2, 1), (outer.Steps, inner.Steps));
    }

    private sealed class Training : IDisposable
    {
        private readonly BatchBuffer _batch;
        private readonly StepSlices _slices = new(3, 0, [4, 4, 4], new SliceTree(3).Cover(0, 3));
        private readonly float[] _weights;
        private readonly Memory<float>[] _gradients;
        private readonly double[] _losses = new double[3];

        public Training(string model)
        {
            Program = TrainProgram.Compile(SmallModels.Build(model), Rows);
            _batch = Program.CreateBatch(Rows);
            SmallModels.Fill(_batch, 0, Rows, SmallModels.Classes(model));
            _weights = new float[Program.Layout.TotalLength];
            Program.Initialize(4, _weights);
            _gradients = [.. _slices.Nodes.Select(_ => new float[Program.Layout.TotalLength])];
        }

        public TrainProgram Program { get; }

        public void Run() => Program.Run(_batch, _slices, 1, _weights, _gradients, _losses, null);

        public int[] Step()
        {
            Run();
            return [.. _gradients.SelectMany(g => g.ToArray()).Select(BitConverter.SingleToInt32Bits)];
        }

        public void Dispose() => Program.Dispose();
    }

    /// <summary>Every look at it is a millisecond later.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _now++;
    }
}
