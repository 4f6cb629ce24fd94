using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Models;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Training;

/// <summary>MON-07: a worker's operators are timed from one word to the next; else nobody looks at a clock.</summary>
public sealed class TrainingNewsTests : IDisposable
{
    private const int Rows = 8;
    private readonly CountingClock _clock = new();
    private readonly TrainProgram _program;
    private readonly TrainingNews _news;
    private readonly BatchBuffer _batch;
    private readonly StepSlices _slices = new(2, 0, [4, 4], new SliceTree(2).Cover(0, 2));
    private readonly float[] _weights;
    private readonly Memory<float>[] _gradients;
    private readonly double[] _losses = new double[2];
    private long _step;

    public TrainingNewsTests()
    {
        var model = new ModelSpec { Family = "mlp", Layers = [6, 9, 3], Activation = "relu" };
        _program = TrainProgram.Compile(ModelCatalog.Build(new JobSpec { Model = model }, new DataShape([6], 3)), Rows);
        _news = new TrainingNews(_program, _clock);
        _batch = _program.CreateBatch(Rows);
        _batch.Rows = Rows;
        _weights = new float[_program.Layout.TotalLength];
        _program.Initialize(1, _weights);
        _gradients = [.. _slices.Nodes.Select(_ => new float[_program.Layout.TotalLength])];
    }

    public void Dispose() => _program.Dispose();

    private Profiled? Step()
    {
        _program.Run(_batch, _slices, ++_step, _weights, _gradients, _losses, null);
        return (Profiled?)_news.Take(_step);
    }

    [Fact]
    public void Off_NoClockIsReadAndNothingIsAllocated()
    {
        Step();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++) Assert.Null(Step());
        Assert.Equal((0, 0), (_clock.Looks, GC.GetAllocatedBytesForCurrentThread() - before));

        _news.Profile(true);
        Step();
        Assert.True(_clock.Looks > 0);
        _news.Profile(false);
        _clock.Pass(TimeSpan.FromMinutes(1));
        var looks = _clock.Looks;
        Assert.Null(Step());
        Assert.Equal(looks, _clock.Looks);
    }

    [Fact]
    public void On_TimesAreToldOnceASecond_AllSinceTheWord_WithTheSameBits()
    {
        Step();
        int[] Bits() => [.. _gradients.SelectMany(g => g.ToArray()).Select(BitConverter.SingleToInt32Bits)];
        var plain = Bits();
        _news.Profile(true);
        Assert.Null(Step());
        Assert.Equal(plain, Bits());
        _news.Profile(true); // again: what was measured stays
        _clock.Pass(TimeSpan.FromSeconds(1));
        var first = Step()!;
        Assert.Equal((3, 2), (first.Step, first.Runs));
        Assert.Contains(first.Operators, o => o is { Operator: "linear", Flops: > 0, Bytes: > 0 } && o.Calls % 2 == 0);
        Assert.All(first.Operators, o => Assert.True(0 <= o.MinMs && o.MinMs <= o.MaxMs && o.MaxMs <= o.TotalMs));
        Assert.Null(Step());
        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(4, Step()!.Runs);

        _news.Profile(false);
        _news.Profile(true);
        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Step()!.Runs);
    }

    private sealed class CountingClock : TimeProvider
    {
        private long _now;

        public int Looks { get; private set; }

        public override long TimestampFrequency => 1_000_000;

        public void Pass(TimeSpan time) => _now += (long)time.TotalMicroseconds;

        public override long GetTimestamp()
        {
            Looks++;
            return ++_now;
        }
    }
}
