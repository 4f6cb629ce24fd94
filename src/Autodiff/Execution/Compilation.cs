using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Passes;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Execution;

/// <summary>How a graph is made into a program. None of it changes a bit of any result.</summary>
public sealed record CompileOptions
{
    public static readonly CompileOptions Default = new();

    /// <summary>Activations that are computed again instead of kept.</summary>
    public RecomputeSpec Recompute { get; init; } = RecomputeSpec.None;

    public static CompileOptions Of(JobSpec job) => new() { Recompute = RecomputeSpec.Of(job) };
}

/// <summary>What became of a graph on its way to a program.</summary>
/// <param name="Passes">Each pass in its order.</param>
/// <param name="Recompute">What is computed again.</param>
/// <param name="Training">Planned memory of a training step of the largest size.</param>
/// <param name="Evaluation">Planned memory of an evaluation of the largest size.</param>
/// <param name="ParameterElements">Length of the flat vector of weights.</param>
public sealed record CompileReport(
    IReadOnlyList<PassReport> Passes, RecomputeReport Recompute, MemoryStatistics Training, MemoryStatistics Evaluation,
    long ParameterElements);

/// <summary>The way from a graph that was submitted to the plans that run: the one place that knows the order.</summary>
internal sealed class Compilation
{
    private Compilation(Graph forward, ProgramPlan training, ProgramPlan evaluation, CompileReport report)
    {
        (Forward, Training, Evaluation, Report) = (forward, training, evaluation, report);
    }

    /// <summary>The forward graph, simplified.</summary>
    public Graph Forward { get; }
    public ProgramPlan Training { get; }
    public ProgramPlan Evaluation { get; }
    public CompileReport Report { get; }

    /// <param name="forward">A graph with the output loss_sum: a sum over all elements of something per sample.</param>
    /// <param name="rowsMax">Samples of the largest call.</param>
    /// <param name="options">Choices that keep every bit.</param>
    public static Compilation Of(Graph forward, int rowsMax, CompileOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsMax, 1);
        GraphVerifier.Check(forward);
        var (prepared, before) = PassPipeline.Run(forward, PassPipeline.Preparing);
        var (gradients, after) = PassPipeline.Run(prepared, PassPipeline.Differentiating());
        ProgramPlan PlanOf(Graph graph) => new(graph, rowsMax);
        var (training, recompute) = RecomputeChoice.Of(
            LossRows.Expose(gradients, keepOthers: false), options.Recompute, rowsMax, PlanOf);
        var evaluation = PlanOf(LossRows.Expose(EvaluationForm.Run(prepared), keepOthers: true));
        return new Compilation(prepared, training, evaluation, new CompileReport(
            [.. before, .. after], recompute, training.MemoryStatistics, evaluation.MemoryStatistics,
            training.Layout.TotalLength));
    }
}
