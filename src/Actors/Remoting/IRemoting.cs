using Convoy.Shared.Ids;

namespace Convoy.Actors.Remoting;

/// <summary>
/// What actors see of the network: the real one is <see cref="Remoting"/>, the simulator has its own.
/// </summary>
public interface IRemoting
{
    /// <summary>Where others dial this process: host:port, or several with commas, best first.</summary>
    string Address { get; }

    /// <summary>Messages that name <paramref name="name"/> go to this actor from now on.</summary>
    void Register(string name, IActorRef actor);

    /// <summary>
    /// Dials until the link is up, and again whenever it was lost, until <see cref="Peer.Close"/> or a refusal.
    /// </summary>
    /// <param name="address">As <see cref="Address"/> of the peer says.</param>
    /// <param name="linkOwner">Gets the events of the link.</param>
    /// <param name="wanted">The process that must answer; null: whoever does.</param>
    Peer Connect(string address, IActorRef linkOwner, Incarnation? wanted = null);

    /// <summary>
    /// Links give a peer up that acknowledges nothing for this long; it only grows (a job forgives longer stalls).
    /// </summary>
    void Outlast(TimeSpan silence);
}

/// <summary>A ref to an actor of another process: it knows over which link.</summary>
internal interface IRemoteRef
{
    Peer Peer { get; }
}
