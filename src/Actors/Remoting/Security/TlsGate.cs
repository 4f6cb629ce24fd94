using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Shared.Security;

namespace Convoy.Actors.Remoting.Security;

/// <summary>A connection that has agreed on TLS. Whether its owner may do anything is not decided yet.</summary>
internal sealed record Secured(SslStream Stream, TlsConnection Connection, CertificateVerdict Verdict, bool IsLane);

/// <summary>
/// Turns sockets into TLS connections, as either side. A failed handshake leaves the socket to its caller.
/// </summary>
internal sealed class TlsGate(CredentialSource credentials)
{
    /// <exception cref="HandshakeException">No TLS 1.3 came about.</exception>
    public async Task<Secured> AcceptAsync(SocketConnection plain, CancellationToken cancel)
    {
        VerdictHolder? verdict = null;
        var offered = SslProtocols.None;
        var stream = StreamOver(plain);
        try
        {
            await stream.AuthenticateAsServerAsync(
                (_, hello, _, _) =>
                {
                    offered = hello.SslProtocols;
                    return ValueTask.FromResult(TlsProfile.ForServer(credentials.Current,
                        credentials.Time.GetUtcNow(), out verdict));
                },
                null, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException && !IsPlainLoss(e))
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            var old = offered != SslProtocols.None && (offered & SslProtocols.Tls13) == 0;
            throw old
                ? new HandshakeException($"it offered {offered}, here TLS 1.3 is the oldest") { Why = Refusal.OldTls }
                : new HandshakeException($"no TLS could be agreed on: {Root(e)}") { Why = Refusal.BrokenTls };
        }

        var isLane = stream.NegotiatedApplicationProtocol == TlsProfile.Lanes;
        return new Secured(stream, new TlsConnection(stream, plain), verdict!.Verdict, isLane);
    }

    /// <exception cref="HandshakeException">No TLS 1.3 came about.</exception>
    public async Task<Secured> DialAsync(SocketConnection plain, CancellationToken cancel)
    {
        var me = credentials.Current;
        var options = TlsProfile.ForClient(me, me.Trusted, TlsProfile.Lanes, credentials.Time.GetUtcNow(),
            out var verdict);
        var stream = StreamOver(plain);
        try
        {
            await stream.AuthenticateAsClientAsync(options, cancel).ConfigureAwait(false);
        }
        catch (AuthenticationException e)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw new HandshakeException(
                $"no TLS 1.3 with {plain.RemoteAddress}, which may be plain or older: {Root(e)}")
            { Why = Refusal.BrokenTls };
        }

        return new Secured(stream, new TlsConnection(stream, plain), verdict.Verdict, IsLane: true);
    }

    private static SslStream StreamOver(SocketConnection plain) =>
        new(new NetworkStream(plain.Socket, ownsSocket: true), leaveInnerStreamOpen: false);

    private static bool IsPlainLoss(Exception e) =>
        ConnectionLoss.Is(e) && e is not IOException { InnerException: not SocketException };

    private static string Root(Exception e)
    {
        while (e.InnerException is { } inner) e = inner;
        return e.Message;
    }
}
