using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Passes;
using Convoy.Kernels;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>How much is done to a graph before it runs. Each level does what those before it do.</summary>
public enum CompileLevel
{
    /// <summary>The graph as it was submitted, with its gradients; compiles the fastest.</summary>
    None,
    /// <summary>Constants, identities, common subexpressions, dead code.</summary>
    Simplify,
    /// <summary>Also fusion: bias, activation, trees of element-wise operators.</summary>
    Full,
}

/// <summary>How a graph is made into a program. None of it changes a bit of any result.</summary>
public sealed record CompileOptions
{
    /// <summary>Everything is kept, element-wise operators are fused.</summary>
    public static readonly CompileOptions Default = new();

    /// <summary>Activations that are computed again instead of kept.</summary>
    public RecomputeSpec Recompute { get; init; } = RecomputeSpec.None;

    /// <summary>How much is done to the graph before it runs.</summary>
    public CompileLevel Level { get; init; } = CompileLevel.Full;

    /// <summary>Trees of element-wise operators run as one; false is for comparison.</summary>
    public bool FuseElementwise { get; init; } = true;

    /// <summary>What a job file asks for.</summary>
    public static CompileOptions Of(JobSpec job) => new() { Recompute = RecomputeSpec.Of(job) };
}

/// <summary>What became of a graph on its way to a program.</summary>
public sealed class CompileReport
{
    private readonly ProgramPlan _training;
    private readonly ProgramPlan _evaluation;
    private readonly Func<IReadOnlyList<RecomputeReport>> _front;

    internal CompileReport(
        IReadOnlyList<PassReport> passes, RecomputeReport recompute, ProgramPlan training, ProgramPlan evaluation,
        Func<IReadOnlyList<RecomputeReport>> front)
    {
        (Passes, Recompute, _training, _evaluation, _front) = (passes, recompute, training, evaluation, front);
    }

    /// <summary>Each pass in its order.</summary>
    public IReadOnlyList<PassReport> Passes { get; }

    /// <summary>Activations of a training step that are computed again.</summary>
    public RecomputeReport Recompute { get; }

    /// <summary>Choices of what is computed again of which none takes both less memory and fewer operations than
    /// another, from everything kept to the smallest plan. Each is planned when this is asked.</summary>
    public IReadOnlyList<RecomputeReport> RecomputeFront() => _front();

    /// <summary>Element-wise operators of a training step that run as one.</summary>
    public FusionReport Fusion => _training.Fusion;

    /// <summary>Planned memory of a training step of the largest size.</summary>
    public MemoryStatistics Training => _training.MemoryStatistics;

    /// <summary>Planned memory of an evaluation of the largest size.</summary>
    public MemoryStatistics Evaluation => _evaluation.MemoryStatistics;

    /// <summary>Length of the flat vector of weights.</summary>
    public long ParameterElements => _training.Layout.TotalLength;

    /// <summary>Bytes of one sample, all inputs together.</summary>
    public long InputBytesPerSample => _training.Graph.Inputs.Sum(i => i.Type.Coefficient * i.Type.DType.Size());

    /// <summary>Memory of a program that runs steps of one form, before there is one.</summary>
    /// <param name="share">The slices of a step, with the most rows that it has.</param>
    /// <param name="evaluationRows">Rows of an evaluation; 0: none.</param>
    /// <param name="threads">Threads of the team that runs its kernels.</param>
    public ProgramMemoryUse MemoryOf(StepSlices share, int evaluationRows = 0, int threads = 1)
    {
        var scratch = new KernelScratch(threads);
        PlanScratch.Add(scratch, _training, share);
        if (evaluationRows > 0) PlanScratch.Add(scratch, _evaluation, StepSlices.Single(evaluationRows));
        var sums = _training.SummedBytes(share)
            + (evaluationRows > 0 ? _evaluation.SummedBytes(StepSlices.Single(evaluationRows)) : 0);
        return new ProgramMemoryUse(
            Math.Max(_training.Memory.TotalBytes, _evaluation.Memory.TotalBytes), sums, scratch.TeamBytes)
        {
            TouchedBytes = TouchedBytes(share.Rows, evaluationRows),
        };
    }

    // Whole pages: fewer rows than the largest call touch a part of each buffer, and with it the rest of its pages.
    private long TouchedBytes(int trainingRows, int evaluationRows)
    {
        var total = Math.Max(_training.Memory.TotalBytes, _evaluation.Memory.TotalBytes);
        var page = PageMemory.PageBytes(total);
        var stretches = new List<(long From, long End)>();
        if (trainingRows > 0) stretches.AddRange(_training.Touched(trainingRows));
        if (evaluationRows > 0) stretches.AddRange(_evaluation.Touched(evaluationRows));
        stretches.Sort();
        var (bytes, end) = (0L, 0L);
        foreach (var stretch in stretches)
        {
            var (from, to) = (stretch.From / page * page, Math.Min((stretch.End + page - 1) / page * page, total));
            bytes += Math.Max(0, to - Math.Max(from, end));
            end = Math.Max(end, to);
        }

        return bytes;
    }
}

/// <summary>
/// The way from a graph that was submitted to the plans that run: the one place that knows the order.
/// </summary>
internal sealed class Compilation
{
    private readonly Graph _gradients;
    private readonly int _rowsMax;
    private readonly Func<Graph, ProgramPlan> _planOf;

    private Compilation(
        Graph forward, Graph gradients, int rowsMax, Func<Graph, ProgramPlan> planOf, ProgramPlan evaluation,
        RecomputeSpec recompute, Func<GraphNode, double>? work, IReadOnlyList<PassReport> passes)
    {
        (Forward, _gradients, _rowsMax, _planOf) = (forward, gradients, rowsMax, planOf);
        var chosen = RecomputeChoice.Of(gradients, recompute, rowsMax, planOf, work);
        (Training, Evaluation, AppliedAgain) = (chosen.Plan, evaluation, chosen.Again);
        Report = new CompileReport(passes, chosen.Report, Training, evaluation,
            () => RecomputeChoice.Front(gradients, rowsMax, planOf));
    }

    /// <summary>The forward graph, simplified.</summary>
    public Graph Forward { get; }
    public ProgramPlan Training { get; }
    public ProgramPlan Evaluation { get; }
    public CompileReport Report { get; }
    /// <summary>Nodes of the training graph that a step applies again, once for each time.</summary>
    public IReadOnlyList<GraphNode> AppliedAgain { get; }

    /// <summary>The same program with another choice of what is computed again.</summary>
    /// <param name="recompute">The strategy.</param>
    /// <param name="work">What applying a node takes.</param>
    public Compilation Again(RecomputeSpec recompute, Func<GraphNode, double> work) =>
        new(Forward, _gradients, _rowsMax, _planOf, Evaluation, recompute, work, Report.Passes);

    /// <param name="forward">A graph with the output loss_sum: a sum over all elements of something per sample.</param>
    /// <param name="rowsMax">Samples of the largest call.</param>
    /// <param name="options">Choices that keep every bit.</param>
    public static Compilation Of(Graph forward, int rowsMax, CompileOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsMax, 1);
        GraphVerifier.Check(forward);
        forward.RequireSizes("compiled program");
        var (prepared, before) = PassPipeline.Run(forward, PassPipeline.BeforeGradients(options.Level switch
        {
            CompileLevel.None => [],
            CompileLevel.Simplify => PassPipeline.Simplifying,
            _ => PassPipeline.Preparing,
        }));
        // Gradients are the first of these passes; what follows makes them simpler.
        var differentiating = PassPipeline.Differentiating();
        var (gradients, after) = PassPipeline.Run(
            prepared, options.Level == CompileLevel.None ? [differentiating[0]] : differentiating);
        ProgramPlan PlanOf(Graph graph)
        {
            if (!options.FuseElementwise || options.Level != CompileLevel.Full) return new ProgramPlan(graph, rowsMax);
            var (fused, report) = FuseElementwise.Run(graph, rowsMax);
            return new ProgramPlan(fused, rowsMax) { Fusion = report };
        }

        var tested = EvaluationForm.Run(
            options.Level == CompileLevel.None ? prepared : DeadCode.Run(CommonSubexpressions.Run(prepared)));
        var evaluation = PlanOf(LossRows.Expose(tested, keepOthers: true));
        return new Compilation(prepared, LossRows.Expose(gradients, keepOthers: false), rowsMax, PlanOf, evaluation,
            options.Recompute, null, [.. before, .. after]);
    }
}
