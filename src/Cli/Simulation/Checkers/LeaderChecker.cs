using Convoy.Actors.Simulation;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// At most one leader: only the newest lease appends (L1), no process hears an older one after a newer, and none
/// forgets the newest that it has seen (L3).
/// </summary>
internal sealed class LeaderChecker : Checker
{
    private readonly SortedDictionary<ulong, long> _heard = [];
    private readonly SortedDictionary<ulong, long> _seen = []; // what a process says of itself
    private long _newest;

    public override void OnLease(long token)
    {
        Check(token > _newest, $"lease k{token} is given after k{_newest}");
        _newest = token;
    }

    public override void OnAppended(long token, string type, JournalRecord record) =>
        Check(token == _newest, $"{type} is appended by k{token}, but k{_newest} leads");

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        if (message is Beat beat) OnBeat(from, to, beat);
        var token = message switch
        {
            Open m => m.LeaderToken,
            Fence m => m.LeaderToken,
            Welcome m => m.LeaderToken,
            _ => 0,
        };
        if (token == 0) return;
        var known = _heard.GetValueOrDefault(to.Incarnation.Value);
        Check(token >= known, $"{to.Process} hears {message.Descriptor.Name} of k{token} after k{known}");
        _heard[to.Incarnation.Value] = token;
    }

    // What lay in the mailbox of a stopped leader is older than what its successor has heard.
    private void OnBeat(SimulatedRemoting from, SimulatedRemoting to, Beat beat)
    {
        if (Cluster.Coordinator is { } leader && to.Process != leader.Process) return;
        var before = _seen.GetValueOrDefault(beat.Incarnation);
        Check(beat.TokenSeen >= before, $"{from.Process} follows k{beat.TokenSeen} after k{before}");
        _seen[beat.Incarnation] = beat.TokenSeen;
    }
}
