using Convoy.Actors.Remoting.Frames;
using Convoy.Shared.Security;

namespace Convoy.Actors.Remoting;

/// <summary>The accepting end: one session. A dialler that begins a new session gets a new one of these.</summary>
internal sealed class AcceptedLink : Link
{
    private readonly Acceptor _acceptor;

    public AcceptedLink(Acceptor acceptor, Remoting remoting, Greeting greeting, string address, ClusterRole? role)
        : base(remoting)
    {
        _acceptor = acceptor;
        Key = (greeting.Node, greeting.Incarnation, greeting.Link);
        SessionNumber = greeting.Session;
        Address = address;
        PeerRole = role;
        // Half a pair of lanes is not kept for ever.
        remoting.Timers.Schedule(remoting.Options.HandshakeTimeout, () =>
        {
            if (NeverUp) End(LinkDownReason.ConnectionLost, "the second lane never came");
        });
    }

    public (string Node, ulong Incarnation, ulong Link) Key { get; }

    public override string Address { get; }

    protected override IActorRef Owner => Remoting.AcceptedOwner ?? ActorRefs.Nobody;

    protected override void Wake()
    {
    }

    protected override void AfterEnd() => _acceptor.Forget(this);
}
