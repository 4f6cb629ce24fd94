using System.Text;

namespace Convoy.Actors.Remoting;

/// <summary>
/// Refs to the senders whose messages came last over a link: a conversation names the same few again and again, and a
/// ref a message would be an allocation a message. One place for each hash, so it is bounded without any upkeep: names
/// that are used once, such as those of asks, push each other out. Touched by the link's reader only.
/// </summary>
internal sealed class SenderCache
{
    private const int Places = 64;

    private readonly (byte[] Name, RemoteActorRef Ref)[] _places = new (byte[], RemoteActorRef)[Places];

    public RemoteActorRef RefOf(Link link, ReadOnlySpan<byte> name)
    {
        ref var place = ref _places[HashOf(name) % Places];
        if (place.Ref is null || !name.SequenceEqual(place.Name))
            place = (name.ToArray(), new RemoteActorRef(link, Encoding.UTF8.GetString(name)));
        return place.Ref;
    }

    /// <summary>FNV-1a, 32 bits.</summary>
    private static uint HashOf(ReadOnlySpan<byte> name)
    {
        var hash = 2_166_136_261u;
        foreach (var b in name) hash = (hash ^ b) * 16_777_619;
        return hash;
    }
}
