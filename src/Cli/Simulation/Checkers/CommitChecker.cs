using Convoy.Actors.Simulation;
using Convoy.Coordinator.Api;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// No committed step is lost or run twice (S1, S5): a generation never starts below a state that one of its survivors
/// holds, no slice of a step is computed twice in one generation, and each step has one row, in order.
/// </summary>
internal sealed class CommitChecker : Checker
{
    private readonly SortedDictionary<string, (ulong Incarnation, long Step)> _states = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _returned = new(StringComparer.Ordinal);   // let go since the last generation
    private readonly SortedSet<(long Generation, long Step, int Slice)> _computed = [];
    private readonly SortedDictionary<string, long> _generations = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, string> _names = [];
    private SortedSet<string> _members = new(StringComparer.Ordinal);
    private long _start; // state from which the newest generation began

    public override void OnApplied(
        string host, ulong incarnation, long step, ReadOnlySpan<float> weights, ReadOnlySpan<float> momentum) =>
        _states[host] = (incarnation, step);

    public override void OnRun(string host, long step, int firstSlice, IReadOnlyList<int> rows,
        IReadOnlyList<long> samples)
    {
        var generation = _generations.GetValueOrDefault(host);
        for (var s = 0; s < rows.Count; s++)
            Check(_computed.Add((generation, step, firstSlice + s)),
                $"slice {firstSlice + s} of step {step} is computed twice in g{generation}, now by {host}");
    }

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        var host = to.Process.Host;
        if (message is Evict) _returned.Add(host);
        // An older Open may arrive late; the worker refuses it, and so does this account.
        var opened = message is Open open ? open.Generation : message is Cast { Open: { } cast } ? cast.Generation : 0;
        if (opened > _generations.GetValueOrDefault(host)) _generations[host] = opened;
    }

    public override void OnCame(string host, Incarnation incarnation) => OnProcessStarted(host, incarnation);

    public override void OnProcessStarted(string host, Incarnation incarnation)
    {
        _states.Remove(host);
        _generations.Remove(host);
        _returned.Add(host);
    }

    public override void OnProcessEnded(string host, string why)
    {
        // Without a standby its successor begins from the checkpoint; a standby goes on with what workers hold.
        if (host == SimulatedCluster.CoordinatorHost && !Cluster.Plan.HasStandby) _members.Clear();
    }

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (type == "worker_registered") _names[(int)record.Number("worker")] = record.Text("name");
        if (type != "generation_opened") return;
        var start = record.Number("start");
        _start = start;
        var members = new SortedSet<string>(record.Numbers("members").Select(id => _names[id]), StringComparer.Ordinal);
        foreach (var host in members)
        {
            if (_members.Contains(host) && !_returned.Contains(host) && _states.TryGetValue(host, out var state))
                Check(state.Step <= start,
                    $"g{record.Number("generation")} starts from state {start}, but its member {host} has applied step {state.Step}");
            if (_states.TryGetValue(host, out var old)) _states[host] = (old.Incarnation, Math.Min(old.Step, start));
        }

        _members = members;
        _returned.Clear();
    }

    public override void OnJobOver(StatusReport report)
    {
        if (report.Outcome != "finished") return;
        var rows = Job.Rows();
        Check(rows.Count == 0 || rows[0] == 1, $"the first row is of step {(rows.Count > 0 ? rows[0] : 0)}");
        for (var i = 1; i < rows.Count; i++)
            Check(rows[i] == rows[i - 1] + 1, $"the row of step {rows[i]} follows the row of step {rows[i - 1]}");
        // A run that was resumed from the state of the last step has no step left to report.
        var last = rows.Count > 0 ? rows[^1] : _start;
        Check(last == Job.Plan.Steps, $"the last row is of step {last}");
    }
}
