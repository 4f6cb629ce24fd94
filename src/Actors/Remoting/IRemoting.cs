namespace Convoy.Actors.Remoting;

/// <summary>What actors see of the network: the real one is <see cref="Remoting"/>, the simulator has its own.</summary>
public interface IRemoting
{
    /// <summary>Where others dial this process, host:port.</summary>
    string Address { get; }

    /// <summary>Messages that name <paramref name="name"/> go to this actor from now on.</summary>
    void Register(string name, IActorRef actor);

    /// <summary>Dials until the link is up, and again whenever it was lost, until <see cref="Peer.Close"/> or a refusal.</summary>
    Peer Connect(string address, IActorRef linkOwner);
}

/// <summary>A ref to an actor of another process: it knows over which link.</summary>
internal interface IRemoteRef
{
    Peer Peer { get; }
}
