using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Models;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Bench;

/// <summary>From the description of a model to a program that can run: capture, passes, plans, memory.</summary>
internal sealed record CompileResult
{
    public required string Model { get; init; }
    /// <summary>The first time in this process: what a user waits for, with the JIT of what compiles.</summary>
    public required double FirstMs { get; init; }
    /// <summary>Median of the times after that.</summary>
    public required double Ms { get; init; }
    public required double MeanMs { get; init; }
    /// <summary>Standard deviation of the times after the first.</summary>
    public required double DeviationMs { get; init; }
    /// <summary>Deviation over mean of the times after the first.</summary>
    public required double Variation { get; init; }
    /// <summary>Times that were measured, after the warm-up.</summary>
    public required int Calls { get; init; }
    /// <summary>On the managed heap, of one compilation.</summary>
    public required long AllocatedBytes { get; init; }
}

/// <summary>Must run before all else that compiles a model: a process has one first time.</summary>
internal sealed class CompileBench(Timing timing, TimeProvider time)
{
    public CompileResult Run()
    {
        var model = BenchModel.SmallGpt;
        var begun = time.GetTimestamp();
        Compile(model);
        var first = time.GetElapsedTime(begun);
        var then = timing.Measure(() => Compile(model));
        return new CompileResult
        {
            Model = model.Name, FirstMs = Math.Round(first.TotalMilliseconds, 1), Ms = Math.Round(then.Median * 1e3, 2),
            MeanMs = Math.Round(then.Mean * 1e3, 2), DeviationMs = Math.Round(then.Deviation * 1e3, 2),
            Variation = Math.Round(then.Variation, 3), Calls = then.Calls, AllocatedBytes = then.AllocatedBytes,
        };
    }

    private static void Compile(BenchModel model) => TrainProgram.Compile(
        ModelCatalog.Build(new JobSpec { Model = model.Model }, model.Data), model.Rows).Dispose();
}
