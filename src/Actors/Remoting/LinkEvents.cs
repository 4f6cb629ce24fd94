namespace Convoy.Actors.Remoting;

public enum LinkDownReason
{
    /// <summary>The other side said goodbye.</summary>
    Goodbye,
    /// <summary>Closed by this side.</summary>
    ClosedHere,
    /// <summary>A connection was lost and did not come back within the grace.</summary>
    ConnectionLost,
    /// <summary>Another process answers at the address, or the same node came back as another one.</summary>
    PeerRestarted,
    /// <summary>A bulk connection was lost with frames in flight.</summary>
    BulkLost,
    /// <summary>Messages were not acknowledged for too long.</summary>
    Silent,
    /// <summary>The other side broke the protocol.</summary>
    ProtocolError,
}

public enum LinkRefusedReason
{
    /// <summary>Protocol, build or features differ: dialling again does not help.</summary>
    Versions,
    /// <summary>The peer has no room for another handshake now; it is dialled again.</summary>
    Busy,
    /// <summary>What answered is not one of ours.</summary>
    NotConvoy,
    /// <summary>A certificate of either side does not count: dialling again does not help.</summary>
    Denied,
}

/// <summary>
/// To the owner of the link: both lanes are open. A dialled peer may come up again after it was down.
/// </summary>
public sealed record LinkUp(Peer Peer);

/// <summary>
/// To the owner of the link: the session is over. Unacknowledged messages come back to their senders.
/// </summary>
public sealed record LinkDown(Peer Peer, LinkDownReason Reason, string Text);

/// <summary>
/// To the dialling owner: the handshake was refused. <paramref name="Differences"/> has one line per difference.
/// </summary>
public sealed record LinkRefused(string Address, LinkRefusedReason Reason, IReadOnlyList<string> Differences);

/// <summary>
/// To the dialling owner, once in each time without a link: none of the peer's addresses leads to it.
/// <paramref name="Tried"/> has a line "address (why)" for each.
/// </summary>
public sealed record LinkUnreachable(string Address, IReadOnlyList<string> Tried)
{
    public override string ToString() => $"none of {Tried.Count} addresses leads there: {string.Join(", ", Tried)}";
}
