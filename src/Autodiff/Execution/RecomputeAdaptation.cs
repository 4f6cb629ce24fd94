using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>One more look at what is kept, at the boundary of two steps.</summary>
/// <param name="AfterSteps">Training steps before it.</param>
/// <param name="Chosen">What is computed again from then on.</param>
/// <param name="Changed">Whether that is something else than before.</param>
/// <param name="HeldBytes">What the program held then.</param>
/// <param name="PlannedBytes">Planned memory from then on.</param>
/// <param name="AgainMsBefore">Predicted milliseconds of what was computed again in a step until then.</param>
/// <param name="AgainMs">The same from then on.</param>
public sealed record RecomputeReview(
    long AfterSteps, string Chosen, bool Changed, long HeldBytes, long PlannedBytes, double AgainMsBefore,
    double AgainMs);

/// <summary>
/// MEM-06: which activations are computed again, chosen while a program trains. Some steps are timed, operator by
/// operator; then the search for the cheapest placement runs again with those times instead of operations, within
/// what is left of the budget beside all else that the program holds; at the boundary of two steps the program
/// takes the new plan. Windows lie at twice the distance each time. Plans differ in memory and time and in no bit
/// of any result, so that looking at a clock changes none.
/// </summary>
public sealed class RecomputeAdaptation
{
    private const int Untimed = 2; // first steps bind memory and warm up code
    private const int Timed = 6;
    private const int FirstDistance = 64;
    private const int DistanceMax = 16_384;
    // What a new plan must save of the work that is done again: clocks are not exact.
    private const double Worth = 0.05;
    private readonly TrainProgram _program;
    private readonly RecomputeSpec _spec;
    private readonly TimeProvider _clock;
    private readonly List<RecomputeReview> _reviews = [];
    private ProgramProfile? _profile;
    private IDisposable? _timing;
    private long _next = Untimed;
    private long _distance = FirstDistance;

    /// <param name="program">Compiled with <paramref name="spec"/>.</param>
    /// <param name="spec">adapt:SIZE.</param>
    /// <param name="clock">Where times come from.</param>
    public RecomputeAdaptation(TrainProgram program, RecomputeSpec spec, TimeProvider clock)
    {
        Shared.Invariant.Check(spec.Kind == RecomputeKind.Adapt, "RA-1 what is kept adapts where the job says so");
        (_program, _spec, _clock) = (program, spec, clock);
    }

    /// <summary>All looks so far, the last 32 of them.</summary>
    public IReadOnlyList<RecomputeReview> Reviews => _reviews;

    /// <summary>Call it between two training steps, on the thread that makes them.</summary>
    /// <returns>What came of it where this was the end of a window, else null.</returns>
    public RecomputeReview? AtBoundary()
    {
        // Someone else who times the steps now goes first: plans stay while they do.
        if (_program.Runs < _next || (_timing is null && _program.Profiler is not null)) return null;
        if (_timing is null)
        {
            _profile = new ProgramProfile(_program, _clock);
            _timing = _profile.Start();
            _next = _program.Runs + Timed;
            return null;
        }

        _timing.Dispose();
        _timing = null;
        _next = _program.Runs + _distance;
        _distance = Math.Min(DistanceMax, 2 * _distance);
        var profile = _profile!;
        _profile = null;
        if (profile.Steps == 0 || _program.Profiler is not null) return null;
        var review = Review(profile);
        if (_reviews.Count == 32) _reviews.RemoveAt(0);
        _reviews.Add(review);
        return review;
    }

    private RecomputeReview Review(ProgramProfile profile)
    {
        var held = _program.MemoryHeld;
        var (all, arena) = (held.ArenaBytes + held.SummedBytes + held.ScratchBytes, held.ArenaBytes);
        var times = new MeasuredWork(profile.Measured, profile.Rows);
        // The evaluation shares the arena: a training step below it saves nothing.
        var room = Math.Max(_program.Report.Evaluation.PeakBytes, _spec.BudgetBytes - (all - arena));
        var before = _program.Compiled.AppliedAgain.Sum(times.Of);
        var fits = _program.Plan.Memory.TotalBytes <= room;
        var found = _program.Compiled.Again(_spec with { BudgetBytes = room }, times.Of);
        var after = found.AppliedAgain.Sum(times.Of);
        var change = fits ? after < before * (1 - Worth)
            : found.Training.Memory.TotalBytes < _program.Plan.Memory.TotalBytes;
        if (change) _program.TakePlan(found);
        return new RecomputeReview(_program.Runs, _program.Report.Recompute.Chosen, change, all,
            _program.Plan.Memory.TotalBytes, before, change ? after : before);
    }
}

/// <summary>
/// Milliseconds of a node, from steps that were timed: its own where it ran by itself, else its bytes at the pace
/// of steps like it (those of fused operators, or of all).
/// </summary>
internal sealed class MeasuredWork
{
    private readonly Dictionary<string, double> _byName = new(StringComparer.Ordinal);
    private readonly int _rows;
    private readonly double _msPerByte;
    private readonly double _fusedMsPerByte;

    public MeasuredWork(IEnumerable<(GraphNode Node, double MeanMs, OpCost Cost)> steps, int rows)
    {
        _rows = rows;
        var (ms, bytes, fusedMs, fusedBytes) = (0.0, 0.0, 0.0, 0.0);
        foreach (var (node, mean, cost) in steps)
        {
            (ms, bytes) = (ms + mean, bytes + cost.Bytes);
            if (node.Op is Passes.FusedOp) (fusedMs, fusedBytes) = (fusedMs + mean, fusedBytes + cost.Bytes);
            else _byName[node.Name] = _byName.GetValueOrDefault(node.Name) + mean;
        }

        _msPerByte = bytes > 0 ? ms / bytes : 0;
        _fusedMsPerByte = fusedBytes > 0 ? fusedMs / fusedBytes : _msPerByte;
    }

    /// <summary>Of a node of the training graph, at the rows of the steps.</summary>
    public double Of(GraphNode node)
    {
        if (_byName.TryGetValue(node.Name, out var ms)) return ms;
        var bytes = node.Types.Sum(t => t.CountAt(_rows) * t.DType.Size())
            + (node.Inputs.Length * node.Type.CountAt(_rows) * node.Type.DType.Size());
        return bytes * (node.Op is IBlockwise ? _fusedMsPerByte : _msPerByte);
    }
}
