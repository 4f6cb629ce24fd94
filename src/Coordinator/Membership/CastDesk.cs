using Convoy.Shared;
using Convoy.Shared.Casting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Coordinator.Membership;

/// <summary>
/// The coordinator's end of the tree: makes casts of fences and opens, and remembers the list of the generation that is
/// open. Used by one actor only; what is to be done is in <see cref="Drain"/>.
/// </summary>
/// <param name="token">Of this leader.</param>
/// <param name="fanOut">Of the tree.</param>
/// <param name="clocks">Deadlines.</param>
/// <param name="place">Of this membership among those that this leader has had: no two count the same casts.</param>
internal sealed class CastDesk(LeaderToken token, int fanOut, ClockTable clocks, int place = 0)
{
    private readonly CastProtocol _protocol = new(default, clocks);
    private Roster? _roster;
    private long _casts = (long)place << 32;

    /// <param name="message">Fence or Open.</param>
    /// <param name="to">Who gets it, sorted; all of them are in the list of the newest Open.</param>
    /// <param name="now">The time.</param>
    public void Begin(IMessage message, IReadOnlyList<WorkerId> to, Instant now)
    {
        var cast = new Cast { LeaderToken = token.Value, CastId = ++_casts, FanOut = fanOut };
        if (message is Open open)
        {
            _roster = Roster.Of(open.Members);
            cast.Generation = open.Generation;
            CastContent.Pack(open, cast);
        }
        else
        {
            cast.Fence = (Fence)message;
            cast.Generation = cast.Fence.Generation;
        }

        cast.RosterSha256 = _roster!.Sha256;
        AddGone(cast, to);
        _protocol.Step(new BeginCast(cast, _roster), now);
    }

    /// <summary>Both are sorted.</summary>
    private void AddGone(Cast cast, IReadOnlyList<WorkerId> to)
    {
        var next = 0;
        for (var position = 0; position < _roster!.Count; position++)
        {
            if (next < to.Count && _roster.WorkerAt(position) == to[next]) next++;
            else cast.Gone.Add(position);
        }

        Invariant.Check(next == to.Count, "C1 a cast goes to members of the list");
    }

    public void Step(CastInput input, Instant now) => _protocol.Step(input, now);

    public void Tick(Instant now) => _protocol.Tick(now);

    public List<CastOutput> Drain() => _protocol.Drain();
}
