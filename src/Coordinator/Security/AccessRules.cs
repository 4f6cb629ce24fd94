using Convoy.Shared.Security;

namespace Convoy.Coordinator.Security;

/// <summary>Who sits at the other end of an HTTPS connection; a plain one, on loopback, has none.</summary>
internal sealed record PeerFeature(CertificateVerdict Peer, string Host);

/// <summary>
/// Who may ask what of the HTTP API. A request that no row names is an operator's: what is new is closed to everybody
/// else until somebody opens it here.
/// </summary>
internal static class AccessRules
{
    private static readonly ClusterRole[] Operators = [ClusterRole.Operator, ClusterRole.Coordinator];

    /// <summary>Rows without roles are open to strangers: they check what they are given themselves.</summary>
    private static readonly (string Method, string Path, ClusterRole[] Roles)[] Rows =
    [
        ("GET", "/healthz", []),
        ("GET", "/api/trust", []),
        ("POST", "/api/join", []),
        ("POST", "/api/renew", [ClusterRole.Worker, ClusterRole.Operator, ClusterRole.Coordinator]),
    ];

    /// <summary>Largest body of a request that strangers may make.</summary>
    public const long StrangerBytesMax = 16 << 10;

    public static bool IsOpen(string method, string path) => RolesFor(method, path).Length == 0;

    /// <summary>Why the peer may not ask this, or null.</summary>
    public static string? Refusal(string method, string path, CertificateVerdict peer)
    {
        var roles = RolesFor(method, path);
        return roles.Length == 0 || peer.For(roles) is { Fault: CertificateFault.None } ? null
            : $"{method} {path} is refused: {peer.For(roles).Text}";
    }

    private static ClusterRole[] RolesFor(string method, string path)
    {
        foreach (var row in Rows)
            if (row.Method == method && row.Path == path) return row.Roles;
        return Operators;
    }
}
