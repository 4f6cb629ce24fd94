using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Optim;
using Convoy.Kernels;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>EXE-01, MEM-01: a step allocates nothing once its form was seen.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData("mlp", 1)]
    [InlineData("cnn", 1)]
    [InlineData("gpt", 1)]
    [InlineData("tied", 1)]
    [InlineData("mlp", 3)]
    [InlineData("cnn", 3)]
    [InlineData("gpt", 3)]
    public void AStep_AllocatesNothingAfterWarmUp(string model, int threads)
    {
        // Cut wherever it can be: each thread has its part of every kernel.
        using var team = new ThreadTeam(threads, new ThreadTeamOptions { ElementsMin = 1, ElementsPerPart = 16 });
        using var together = team.Enter();
        using var program = TrainProgram.Compile(SmallModels.Build(model), 24);
        var batch = program.CreateBatch(24);
        SmallModels.Fill(batch, 0, 24, SmallModels.Classes(model));
        var cover = new SliceTree(8).Cover(2, 8);
        var share = new StepSlices(8, 2, [4, 4, 4, 4, 4, 4], cover);
        var flat = new float[program.Layout.TotalLength * cover.Length];
        Memory<float>[] gradients =
            [.. cover.Select((_, i) =>
                flat.AsMemory(i * (int)program.Layout.TotalLength, (int)program.Layout.TotalLength))];
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(1, weights);
        var losses = new double[6];
        var optimizer = Optimizer.Create(new OptimizerSpec(), 100);
        Memory<float>[] state = [new float[weights.Length], new float[weights.Length]];

        void Step(long t)
        {
            program.Run(batch, share, t, weights, gradients, losses, null);
            var norm = GlobalNorm.Of(gradients[0].Span);
            optimizer.Apply(weights, gradients[0].Span, state, t, GlobalNorm.ClipFactor(norm, 1) / 24);
        }

        var (before, after) = (new Allocated(new long[threads]), new Allocated(new long[threads]));
        TeamTasks.Run(ref after, threads);
        for (var t = 1; t <= 3; t++) Step(t);
        TeamTasks.Run(ref before, threads);
        for (var t = 4; t <= 8; t++) Step(t);
        TeamTasks.Run(ref after, threads);
        Assert.Equal(before.Bytes, after.Bytes);
    }

    // By thread: task p is always done by the same one.
    private readonly struct Allocated(long[] bytes) : ITeamTasks
    {
        public long[] Bytes => bytes;

        public void Run(int index) => bytes[index] = GC.GetAllocatedBytesForCurrentThread();
    }
}
