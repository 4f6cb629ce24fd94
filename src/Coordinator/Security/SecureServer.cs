using System.Text;
using Convoy.Actors.Remoting.Security;
using Convoy.Coordinator.Hosting;
using Convoy.Shared.Security;

namespace Convoy.Coordinator.Security;

/// <summary>What makes a coordinator secure. Null in its options: plain, and loopback only.</summary>
public sealed record ServerSecurity
{
    public required CredentialSource Credentials { get; init; }

    /// <summary>The authority on this machine; without it nobody new can join and nobody can renew here.</summary>
    public AuthorityFolder? Authority { get; init; }

    /// <summary>For the one port: lanes of workers, and HTTPS.</summary>
    internal LinkSecurity ForLinks(SharedPort port) => new()
    {
        Credentials = Credentials, Admits = [ClusterRole.Worker], Foreign = port.TryTakeSecure,
        PlainAnswer = PlainHttpAnswer,
    };

    /// <summary>To whoever speaks plain HTTP to a secure port: our clients show the line as it is.</summary>
    private static readonly byte[] PlainHttpAnswer = Encoding.ASCII.GetBytes(PlainHttpText());

    private static string PlainHttpText()
    {
        const string Body =
            """{"error":"this coordinator speaks TLS only: give --credentials DIR, and --tls for a loopback address","exit_code":6}""";
        return $"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\nConnection: close\r\n\r\n{Body}";
    }
}
