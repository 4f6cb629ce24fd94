using System.Net;
using Convoy.Actors.Remoting.Connections;
using Convoy.Shared.Security;

namespace Convoy.Actors.Remoting.Security;

/// <summary>
/// What makes the links of a process secure: with it every connection, loopback too, is TLS 1.3 with certificates on
/// both sides, and any address may be listened on and dialled. Without it connections are plain and loopback only.
/// </summary>
public sealed record LinkSecurity
{
    /// <summary>Whose certificate this process shows, and which authorities it believes.</summary>
    public required CredentialSource Credentials { get; init; }

    /// <summary>Roles that may open lanes to this process.</summary>
    public IReadOnlyList<ClusterRole> Admits { get; init; } = [ClusterRole.Worker];

    /// <summary>The role that is expected at an address that is dialled.</summary>
    public Func<string, ClusterRole> Expects { get; init; } = static _ => ClusterRole.Worker;

    /// <summary>Registered names that only a coordinator may tell: other peers get their messages back.</summary>
    public IReadOnlyList<string> CoordinatorOnly { get; init; } = [];

    /// <summary>
    /// Bytes of control frames that one peer may send in a second, on average; it is slowed down to it.
    /// </summary>
    public long ControlBytesPerSecondMax { get; init; } = 64 << 20;

    /// <summary>Bytes of control frames that a peer may send at once before it is slowed down.</summary>
    public long ControlBurstBytesMax { get; init; } = 128 << 20;

    /// <summary>
    /// Gets a TLS connection that does not ask for lanes, such as HTTPS, whatever its certificate: the receiver looks
    /// at the verdict. True: it owns the stream now. False, or no callback: the connection is closed.
    /// </summary>
    public Func<SecureStream, bool>? Foreign { get; init; }

    /// <summary>
    /// What a plain connection that is not ours gets before it is closed, such as an HTTP error; may be empty.
    /// </summary>
    public ReadOnlyMemory<byte> PlainAnswer { get; init; }

    /// <summary>
    /// A control lane has a peer that is not quite trusted; bulk lanes go as fast as their receiver lets them.
    /// </summary>
    internal void LimitReads(IConnection lane, TimeProvider time)
    {
        if (lane is TlsConnection tls) tls.LimitReads(ControlBytesPerSecondMax, ControlBurstBytesMax, time);
    }
}

/// <summary>A connection after its TLS handshake.</summary>
/// <param name="Stream">The application's bytes.</param>
/// <param name="Peer">What became of the other side's certificate; a fault means: a stranger.</param>
/// <param name="Remote">Where it came from.</param>
public sealed record SecureStream(Stream Stream, CertificateVerdict Peer, EndPoint? Remote);
