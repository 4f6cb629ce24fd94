using Convoy.Actors.Simulation;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// At most one leader: only the newest lease appends (L1), and no process hears an older one after a newer (L3).
/// </summary>
internal sealed class LeaderChecker : Checker
{
    private readonly SortedDictionary<ulong, long> _heard = [];
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
}
