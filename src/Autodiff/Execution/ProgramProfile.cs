using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Execution;

/// <summary>Times and work of one step of a compiled program, or of all steps of one operator.</summary>
/// <param name="Step">The node with its shapes; of an operator its name.</param>
/// <param name="Operator">Its name in the table; "slices to nodes" and "gradient to its place" compute nothing new.</param>
/// <param name="Calls">How often it ran.</param>
/// <param name="TotalMs">All calls together, milliseconds.</param>
/// <param name="MinMs">The fastest call.</param>
/// <param name="MaxMs">The slowest call.</param>
/// <param name="Flops">Floating-point operations of all calls, by the operator's cost.</param>
/// <param name="Bytes">Bytes read and written by all calls, each operand and result once.</param>
public sealed record StepTiming(
    string Step, string Operator, long Calls, double TotalMs, double MinMs, double MaxMs, long Flops, long Bytes)
{
    /// <summary>The mean of the calls, milliseconds.</summary>
    public double MeanMs => Calls == 0 ? 0 : TotalMs / Calls;

    /// <summary>10^9 operations a second.</summary>
    public double GigaFlops => TotalMs == 0 ? 0 : Flops / TotalMs / 1e6;

    /// <summary>10^9 bytes a second.</summary>
    public double GigaBytes => TotalMs == 0 ? 0 : Bytes / TotalMs / 1e6;
}

/// <summary>
/// MON-07: what each step of a compiled program takes, switched on and off between training steps. Off it costs one
/// comparison with null a step of the plan; on, a look at the clock before and after each, and no memory once the
/// number of samples has been seen. As the program, it is not for two threads at a time.
/// </summary>
public sealed class ProgramProfile
{
    private readonly TrainProgram _program;
    private readonly TimeProvider _clock;
    private ProgramPlan _plan; // what the entries are of
    private Entry[] _entries;
    private (int Rows, int Nodes) _costsOf = (-1, -1);
    private long _begun;

    /// <param name="program">The program whose training steps are timed.</param>
    /// <param name="clock">Where times come from.</param>
    public ProgramProfile(TrainProgram program, TimeProvider clock)
    {
        (_program, _clock) = (program, clock);
        (_plan, _entries) = (program.Plan, EntriesOf(program.Plan));
    }

    /// <summary>Training steps that were timed.</summary>
    public long Steps { get; private set; }

    /// <summary>
    /// Times the program's training steps until the scope is disposed. Of several at a time the one that began last
    /// does. Times of a plan that the program no longer has are forgotten.
    /// </summary>
    public IDisposable Start()
    {
        if (_plan != _program.Plan)
        {
            (_plan, _entries, _costsOf) = (_program.Plan, EntriesOf(_program.Plan), (-1, -1));
            Steps = 0;
        }

        _program.Profilers.Add(this);
        return new ScopeEnd(() => _program.Profilers.Remove(this));
    }

    private static Entry[] EntriesOf(ProgramPlan plan) =>
        [.. plan.Steps.Select(_ => new Entry { MinTicks = long.MaxValue })];

    /// <summary>Each step of the plan that ran, the longest first; in their order where times are equal.</summary>
    public IReadOnlyList<StepTiming> Timings =>
    [
        .. Enumerable.Range(0, _entries.Length).Where(i => _entries[i].Calls > 0).Select(TimingOf)
            .OrderByDescending(t => t.TotalMs),
    ];

    /// <summary>The same added up by operator, the longest first; by name where times are equal.</summary>
    public IReadOnlyList<StepTiming> Operators =>
    [
        .. Timings.GroupBy(t => t.Operator).Select(g => new StepTiming(
                g.Key, g.Key, g.Sum(t => t.Calls), g.Sum(t => t.TotalMs), g.Min(t => t.MinMs), g.Max(t => t.MaxMs),
                g.Sum(t => t.Flops), g.Sum(t => t.Bytes)))
            .OrderByDescending(t => t.TotalMs).ThenBy(t => t.Operator, StringComparer.Ordinal),
    ];

    /// <summary>Rows of the last step that was timed.</summary>
    internal int Rows => _costsOf.Rows;

    /// <summary>The steps of the plan that ran: their nodes, mean times, and the work of one call.</summary>
    internal IEnumerable<(GraphNode Node, double MeanMs, OpCost Cost)> Measured
    {
        get
        {
            for (var i = 0; i < _entries.Length; i++)
            {
                var entry = _entries[i];
                if (entry.Calls > 0) yield return (_plan.Steps[i].Node, Ms(entry.Ticks) / entry.Calls, entry.Cost);
            }
        }
    }

    /// <summary>Forgets all times.</summary>
    public void Clear()
    {
        Steps = 0;
        foreach (var entry in _entries) entry.Clear();
    }

    internal void BeginRun(StepSlices slices)
    {
        Steps++;
        if (_costsOf == (slices.Rows, slices.Nodes.Length)) return;
        _costsOf = (slices.Rows, slices.Nodes.Length);
        for (var i = 0; i < _entries.Length; i++) _entries[i].Cost = CostOf(_plan.Steps[i], slices);
    }

    internal void BeginStep() => _begun = _clock.GetTimestamp();

    internal void EndStep(int index)
    {
        var ticks = _clock.GetTimestamp() - _begun;
        _entries[index].Add(ticks);
    }

    private OpCost CostOf(PlanStep step, StepSlices slices)
    {
        var node = step.Node;
        var elements = node.Types[Math.Min(step.Output, node.Types.Length - 1)].CountAt(1);
        var nodes = slices.Nodes.Length;
        switch (step.Kind)
        {
            case StepKind.Combine:
                var present = 0;
                foreach (var rows in slices.RowsPerSlice) present += rows > 0 ? 1 : 0;
                var sums = Math.Max(0, present - nodes);
                return new OpCost(sums * elements, (present + nodes) * elements * sizeof(float));
            case StepKind.CopyGradient:
                return new OpCost(0, 2 * nodes * elements * sizeof(float));
            default:
                var cost = node.Op.Cost(
                    node.Attributes, [.. node.Inputs.Select(_plan.Graph.TypeOf)], [.. node.Types], slices.Rows);
                return step.Kind == StepKind.EachNode ? new OpCost(cost.Flops * nodes, cost.Bytes * nodes) : cost;
        }
    }

    private StepTiming TimingOf(int index)
    {
        var (step, entry) = (_plan.Steps[index], _entries[index]);
        var name = step.Kind switch
        {
            StepKind.Combine => "slices to nodes",
            StepKind.CopyGradient => "gradient to its place",
            _ => step.Node.Op.Name,
        };
        var inputs = string.Join(" ", step.Node.Inputs.Select(i => _plan.Graph.TypeOf(i).Text));
        return new StepTiming(
            $"{step.Node.Name} {step.Kind}: {inputs} -> {step.Node.Type.Text}", name, entry.Calls, Ms(entry.Ticks),
            Ms(entry.MinTicks), Ms(entry.MaxTicks), entry.Flops, entry.Bytes);
    }

    private double Ms(long ticks) => ticks * 1000.0 / _clock.TimestampFrequency;

    private sealed class Entry
    {
        public OpCost Cost { get; set; }
        public long Calls { get; private set; }
        public long Ticks { get; private set; }
        public long MinTicks { get; set; }
        public long MaxTicks { get; private set; }
        public long Flops { get; private set; }
        public long Bytes { get; private set; }

        public void Add(long ticks)
        {
            Calls++;
            Ticks += ticks;
            (MinTicks, MaxTicks) = (Math.Min(MinTicks, ticks), Math.Max(MaxTicks, ticks));
            (Flops, Bytes) = (Flops + Cost.Flops, Bytes + Cost.Bytes);
        }

        public void Clear()
        {
            (Calls, Ticks, MinTicks, MaxTicks, Flops, Bytes) = (0, 0, long.MaxValue, 0, 0, 0);
        }
    }
}
