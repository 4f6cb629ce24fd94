using Convoy.Autodiff.Optim;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Tests.Optim;

/// <summary>OPTIM-01, OPTIM-04, OPTIM-05, GP-01.</summary>
public sealed class OptimTests
{
    [Fact]
    public void WarmUp_RisesToTheBaseRate_AndCosineFallsToTheFloor()
    {
        var spec = new OptimizerSpec
        { Lr = 0.1, Schedule = new ScheduleSpec { Kind = "cosine", Warmup = 10, Floor = 0.2 } };
        var optimizer = Optimizer.Create(spec, 110);
        Assert.Equal(0.01, optimizer.LearningRate(1), 12);
        Assert.Equal(0.09, optimizer.LearningRate(9), 12);
        Assert.Equal(0.1, optimizer.LearningRate(10), 12);
        Assert.Equal(0.06, optimizer.LearningRate(60), 12);
        Assert.Equal(0.02, optimizer.LearningRate(110), 12);
        Assert.Equal(0.02, optimizer.LearningRate(500), 12);
        for (var t = 11; t <= 110; t++) Assert.True(optimizer.LearningRate(t) < optimizer.LearningRate(t - 1));
    }

    [Fact]
    public void AConstantRate_IsConstantAfterWarmUp()
    {
        var optimizer = Optimizer.Create(new OptimizerSpec
        { Lr = 0.5, Schedule = new ScheduleSpec { Warmup = 2 } }, 10);
        Assert.Equal([0.25, 0.5, 0.5, 0.5], Enumerable.Range(1, 4).Select(t => optimizer.LearningRate(t)));
    }

    [Theory]
    [InlineData("sgd", 0.0, 0)]
    [InlineData("sgd", 0.9, 1)]
    [InlineData("adam", 0.0, 2)]
    [InlineData("adamw", 0.0, 2)]
    public void Optimizers_FindTheMinimum_InAnyPieces(string kind, double momentum, int states)
    {
        var optimizer = Optimizer.Create(new OptimizerSpec { Kind = kind, Lr = 0.05, Momentum = momentum }, 400);
        Assert.Equal(states, optimizer.StateNames.Count);
        float[] whole = [3, -2, 1, 0.5f, 7];
        float[] pieces = [.. whole];
        Memory<float>[] stateA = [.. optimizer.StateNames.Select(_ => new float[5].AsMemory())];
        Memory<float>[] stateB = [.. optimizer.StateNames.Select(_ => new float[5].AsMemory())];
        for (var t = 1; t <= 400; t++)
        {
            optimizer.Apply(whole, whole.Select(w => 2 * w).ToArray(), stateA, t, 0.5);
            float[] gradient = [.. pieces.Select(w => 2 * w)];
            optimizer.Apply(pieces.AsSpan(0, 2), gradient.AsSpan(0, 2), [.. stateB.Select(s => s[..2])], t, 0.5);
            optimizer.Apply(pieces.AsSpan(2), gradient.AsSpan(2), [.. stateB.Select(s => s[2..])], t, 0.5);
        }

        Assert.Equal(whole, pieces);
        Assert.All(whole, w => Assert.InRange(w, -0.1f, 0.1f));
    }

    [Fact]
    public void GlobalNorm_IsTheEuclideanNorm()
    {
        float[] gradient = [.. Enumerable.Range(0, 10_000).Select(i => (i % 7) - 3f)];
        Assert.Equal(Math.Sqrt(gradient.Sum(g => (double)g * g)), GlobalNorm.Of(gradient), 9);
        Assert.Equal(0, GlobalNorm.Of([]));
        Assert.Equal(0.25, GlobalNorm.ClipFactor(4, 1));
        Assert.Equal(1, GlobalNorm.ClipFactor(0.5, 1));
        Assert.Equal(1, GlobalNorm.ClipFactor(100, 0));
        gradient[5_000] = float.NaN;
        Assert.False(double.IsFinite(GlobalNorm.Of(gradient)));
    }

    [Fact]
    public void UnknownNames_AreRefused()
    {
        Assert.Throws<UserException>(() => Optimizer.Create(new OptimizerSpec { Kind = "sdg" }, 1));
        var odd = Optimizer.Create(new OptimizerSpec { Schedule = new ScheduleSpec { Kind = "sine" } }, 1);
        Assert.Throws<UserException>(() => odd.LearningRate(1));
    }
}
