using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Convoy.Shared.Security;

/// <summary>
/// Dials HTTPS of a coordinator: the connection is handed out only when the certificate at its end is a coordinator's.
/// </summary>
public static class TlsClient
{
    /// <param name="host">Address or name.</param>
    /// <param name="port">Port.</param>
    /// <param name="me">Own certificate; null: a stranger, who may only join.</param>
    /// <param name="trusted">Authorities to believe. Null: whoever answers, which is good for nothing but asking for
    /// authorities that a pin can confirm.</param>
    /// <param name="now">The time to judge by.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="UserException">Nobody there is a coordinator of this cluster; the text says why.</exception>
    public static async Task<Stream> DialAsync(
        string host, int port, NodeCredential? me, IReadOnlyList<X509Certificate2>? trusted, DateTimeOffset now,
        CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? stream = null;
        try
        {
            await socket.ConnectAsync(host, port, cancel);
            stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            var options = TlsProfile.ForClient(me, trusted ?? [], SslApplicationProtocol.Http11, now, out var verdict);
            await stream.AuthenticateAsClientAsync(options, cancel);
            var peer = verdict.Verdict.For(ClusterRole.Coordinator);
            if (trusted is null || peer.Fault == CertificateFault.None) return stream;
            throw new UserException(ExitCode.Cluster,
                $"{host}:{port} is not believed to be the coordinator: {peer.Text}");
        }
        catch (Exception e)
        {
            if (stream is not null) await stream.DisposeAsync();
            socket.Dispose();
            if (e is AuthenticationException or IOException)
                throw new UserException(ExitCode.Cluster,
                    $"no TLS 1.3 with {host}:{port}: is it a coordinator with credentials? ({e.Message})");
            throw;
        }
    }
}
