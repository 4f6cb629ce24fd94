using Convoy.Actors.Simulation;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// Generations only grow: in the journal, over all coordinators (M1), and for each worker process (M2); every
/// generation's cuts deal all slices once (M4), and it is told after it is durable (M5).
/// </summary>
internal sealed class GenerationsChecker : Checker
{
    private readonly SortedDictionary<ulong, long> _told = [];
    private readonly SortedDictionary<ulong, long> _lived = []; // what a process says of itself
    private readonly SortedSet<long> _opened = [];
    private long _fencing;

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (type is not ("fencing_started" or "generation_opened")) return;
        var generation = record.Number("generation");
        var before = _opened.Count > 0 ? _opened.Max : 0;
        if (type == "fencing_started")
        {
            Check(generation > Math.Max(before, _fencing),
                $"g{generation} is fenced after g{Math.Max(before, _fencing)}");
            _fencing = generation;
            return;
        }

        Check(generation > before && generation >= _fencing,
            $"g{generation} is opened after g{before}, fenced g{_fencing}");
        _opened.Add(generation);
        var (members, cuts) = (record.Numbers("members"), record.Numbers("cuts"));
        var covers = cuts.Length == members.Length + 1 && cuts[0] == 0 && cuts[^1] == Job.Plan.Spec.Slices;
        for (var i = 1; i < cuts.Length; i++) covers &= cuts[i] >= cuts[i - 1];
        Check(covers, $"g{generation} deals [{string.Join(' ', cuts)}] to {members.Length} members");
    }

    // In another job it lived in other generations.
    public override void OnCame(string host, Shared.Ids.Incarnation incarnation)
    {
        _told.Remove(incarnation.Value);
        _lived.Remove(incarnation.Value);
    }

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        if (message is Beat beat) OnBeat(from, to, beat);
        // Casts come by several ways, an older one after a newer at times: what their takers make of them is in the
        // beats.
        if (message is Cast { Open: { } cast })
            Check(_opened.Contains(cast.Generation),
                $"g{cast.Generation} is cast to {to.Process} and is not in the journal");
        var generation = message is Fence f ? f.Generation : message is Open o ? o.Generation : 0;
        if (generation == 0) return;
        if (message is Open)
            Check(_opened.Contains(generation), $"g{generation} is told to {to.Process} and is not in the journal");
        var known = _told.GetValueOrDefault(to.Incarnation.Value);
        Check(generation >= known, $"{to.Process} is told g{generation} after g{known}");
        _told[to.Incarnation.Value] = generation;
    }

    // What lay in the mailbox of a stopped leader is older than what its successor has heard.
    private void OnBeat(SimulatedRemoting from, SimulatedRemoting to, Beat beat)
    {
        if (Cluster.Coordinator is { } leader && to.Process != leader.Process) return;
        var before = _lived.GetValueOrDefault(beat.Incarnation);
        Check(beat.Generation >= before, $"{from.Process} is in g{beat.Generation} after g{before}");
        _lived[beat.Incarnation] = beat.Generation;
    }
}
