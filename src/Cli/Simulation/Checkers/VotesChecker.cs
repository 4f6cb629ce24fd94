using Convoy.Actors.Simulation;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// Unanimous commit (S3): nobody applies a step before every other member of its generation has said Complete of it.
/// A state that a generation starts from is the coordinator's decision and was voted on before, or is finished because
/// all survivors held it.
/// </summary>
internal sealed class VotesChecker : Checker
{
    private const int GenerationsKept = 8;
    private readonly SortedDictionary<(long Generation, long Step), SortedSet<string>> _said = [];
    private readonly SortedDictionary<long, (SortedSet<string> Members, long Start)> _generations = [];
    private readonly SortedDictionary<string, long> _opened = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, string> _names = [];

    private bool Votes => Job.Plan.Spec.Sync.Commit == "unanimous";

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (type == "worker_registered") _names[(int)record.Number("worker")] = record.Text("name");
        if (type != "generation_opened") return;
        var generation = record.Number("generation");
        _generations[generation] = (new SortedSet<string>(
            record.Numbers("members").Select(id => _names[id]), StringComparer.Ordinal), record.Number("start"));
        foreach (var old in _generations.Keys.Where(g => g < generation - GenerationsKept).ToList())
            _generations.Remove(old);
        foreach (var old in _said.Keys.Where(k => k.Generation < generation - GenerationsKept).ToList())
            _said.Remove(old);
    }

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        if (message is Complete vote)
        {
            if (!_said.TryGetValue((vote.Generation, vote.Step), out var said))
                _said[(vote.Generation, vote.Step)] = said = new SortedSet<string>(StringComparer.Ordinal);
            said.Add(from.Process.Host);
        }

        // A learner applies what members have applied before it; it is bound by no vote (J1).
        if (message is Learn) _opened.Remove(to.Process.Host);
        var opened = message is Open open ? open.Generation : message is Cast { Open: { } cast } ? cast.Generation : 0;
        if (opened > _opened.GetValueOrDefault(to.Process.Host)) _opened[to.Process.Host] = opened;
    }

    public override void OnCame(string host, Incarnation incarnation) => _opened.Remove(host);

    public override void OnProcessStarted(string host, Incarnation incarnation) => _opened.Remove(host);

    public override void OnApplied(
        string host, ulong incarnation, long step, ReadOnlySpan<float> weights, ReadOnlySpan<float> momentum)
    {
        if (!Votes || !_generations.TryGetValue(_opened.GetValueOrDefault(host), out var open)) return;
        if (step <= open.Start) return;
        var generation = _opened[host];
        var said = _said.GetValueOrDefault((generation, step));
        foreach (var member in open.Members)
        {
            Check(member == host || said?.Contains(member) == true,
                $"{host} applies step {step} of g{generation}, but {member} has not said Complete");
        }
    }
}
