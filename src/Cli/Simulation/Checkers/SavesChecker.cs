using Convoy.Actors.Simulation;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// Saves do not pile up (CP-5): a worker has at most two of a generation of which it has told its shard and heard no
/// end, and one more of the last state. Whoever has waited as long as may be for one counts it no more.
/// </summary>
internal sealed class SavesChecker : Checker
{
    private const int UnderWayMax = 3;
    private readonly TimeSpan _longest = new ClockTable().SaveRoom; // the plan's bound, whatever a worker believes
    private readonly SortedDictionary<string, Member> _members = new(StringComparer.Ordinal);

    private sealed class Member
    {
        public long Generation { get; set; }
        public SortedDictionary<long, TimeSpan> UnderWay { get; } = [];
        public SortedSet<long> Settled { get; } = [];
    }

    public override void OnProcessEnded(string host, string why) => _members.Remove(host);

    public override void OnJobOver(Coordinator.Api.StatusReport report) => _members.Clear();

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        switch (message)
        {
            case ShardSaved saved: Told(from.Process.Host, saved); break;
            case SaveSettled settled when Of(to.Process.Host, settled.Generation) is { } member:
                member.UnderWay.Remove(settled.Step);
                member.Settled.Add(settled.Step);
                break;
            default: break;
        }
    }

    private Member? Of(string host, long generation)
    {
        if (!_members.TryGetValue(host, out var member)) _members[host] = member = new Member();
        if (generation < member.Generation) return null;
        if (generation > member.Generation)
        {
            member.Generation = generation;
            member.UnderWay.Clear();
            member.Settled.Clear();
        }

        return member;
    }

    private void Told(string host, ShardSaved saved)
    {
        if (Of(host, saved.Generation) is not { } member || member.Settled.Contains(saved.Step)) return;
        member.UnderWay.TryAdd(saved.Step, Now);
        var count = member.UnderWay.Count(s => Now - s.Value < _longest);
        Check(count <= UnderWayMax,
            $"{host} has told shards of {count} saves in g{saved.Generation} that are neither published nor given up: steps {string.Join(", ", member.UnderWay.Keys)}");
    }
}
