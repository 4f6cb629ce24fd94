using Convoy.Actors.Runtime;

namespace Convoy.Actors.Remoting;

internal abstract class RemoteActorRef : InternalActorRef
{
    public abstract ActorSystem System { get; }
}
