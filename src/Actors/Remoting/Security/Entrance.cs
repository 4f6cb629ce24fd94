// The first moments of a connection that somebody else opened. Until Examine has said yes, nothing of the peer's is
// believed and nothing of ours is told but a refusal; all that a stranger can cost is bounded: handshakes in flight
// (in all and from one address), their time, and 4 KB of greeting.
using System.Net.Sockets;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Security;
using Convoy.Shared.Threading;
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting.Security;

/// <summary>What a new connection turned out to be.</summary>
/// <param name="Lane">It wants to be a lane: a greeting follows. Null: it was something else and has been dealt
/// with.</param>
/// <param name="Peer">Secure: what its certificate was worth. Null: plain.</param>
/// <param name="Kept">Somebody else owns the connection now.</param>
internal readonly record struct Arrival(IConnection? Lane, CertificateVerdict? Peer, bool Kept);

internal sealed class Entrance(Remoting remoting)
{
    private const byte TlsHandshakeRecord = 0x16;
    private const int ForeignBytesMax = 16 << 10;
    private static readonly TimeSpan PeekAgain = TimeSpan.FromMilliseconds(10);

    private readonly OrderedLock _lock = new("the entrance", LockRank.Record);
    private readonly RefusalLog _log = new(text => remoting.Log(LogLevel.Warning, "acceptor", text));
    private readonly AddressGuard _guard = new(new GuardLimits(
        remoting.Options.HandshakesPerAddressMax, remoting.Options.RefusalsMax, remoting.Options.RefusalsPerSecond));
    private readonly LinkSecurity? _security = remoting.Options.Security;
    private readonly TlsGate? _tls = remoting.Tls;
    private int _inFlight;
    private long _refused;

    public long RefusedCount => Interlocked.Read(ref _refused);

    /// <summary>Whether the connection may begin to shake hands; then <see cref="Leave"/> follows.</summary>
    public bool TryEnter(IConnection connection)
    {
        var host = AddressGuard.HostOf(connection.RemoteAddress);
        string? over;
        using (_lock.Enter())
        {
            over = _inFlight >= remoting.Options.HandshakesMax ? $"{_inFlight} handshakes are under way"
                : connection.IsLoopback ? null // one address for all of this machine: only the sum counts
                : _guard.TryEnter(host, remoting.Now);
            if (over is null)
            {
                _inFlight++;
                return true;
            }
        }

        Refuse(connection, Refusal.Busy, over);
        return false;
    }

    public void Leave(IConnection connection, bool refused)
    {
        using (_lock.Enter())
        {
            _inFlight--;
            if (!connection.IsLoopback)
                _guard.Leave(AddressGuard.HostOf(connection.RemoteAddress), refused, remoting.Now);
        }
    }

    public void Refuse(IConnection connection, Refusal why, string text)
    {
        Interlocked.Increment(ref _refused);
        using (_lock.Enter())
            _log.Note(AddressGuard.HostOf(connection.RemoteAddress), why.ToString(), text, remoting.Now);
    }

    /// <summary>Tells TLS, lanes and other protocols apart by what they say first.</summary>
    /// <exception cref="HandshakeException">It is none of those that are welcome here.</exception>
    public async Task<Arrival> MeetAsync(IConnection connection, CancellationToken cancel)
    {
        if (connection is not SocketConnection plain)
        {
            // A simulated wire: nothing foreign comes over it, and nothing can listen in.
            return new Arrival(connection, null, false);
        }

        var first = await PeekAsync(plain, cancel).ConfigureAwait(false);
        if (_tls is not null && first.Span[0] == TlsHandshakeRecord)
            return await MeetTlsAsync(plain, cancel).ConfigureAwait(false);
        var isOurs = first.Span.SequenceEqual(Handshake.Magic);
        if (isOurs) return new Arrival(plain, null, false); // where TLS is required, Examine refuses it with a reason
        if (_security is null)
        {
            if (remoting.Options.Foreign?.Invoke(plain.Socket, first) == true) return new Arrival(null, null, true);
            if (first.Span[0] != TlsHandshakeRecord)
                throw new HandshakeException("not a convoy connection") { Why = Refusal.NotConvoy };
            // Bytes that are not TLS let the other side fail at once instead of trying on.
            const string Why = "it speaks TLS, and this process was started without credentials";
            var answer = new Answer(AnswerKind.Denied, remoting.Options.Incarnation.Value,
                0, remoting.Options.NodeName, [Why]);
            await AnswerAndEndAsync(plain, Handshake.Encode(answer), cancel).ConfigureAwait(false);
            throw new HandshakeException(Why) { Why = Refusal.NotConvoy };
        }

        await AnswerAndEndAsync(plain, _security.PlainAnswer, cancel).ConfigureAwait(false);
        throw new HandshakeException("a plain connection, and TLS is required here") { Why = Refusal.Plain };
    }

    /// <summary>Whether the peer may have a lane here; null when it may.</summary>
    public (Refusal Why, string Text)? Examine(Greeting greeting, Arrival arrival)
    {
        if (_security is null || arrival.Lane is not (TlsConnection or SocketConnection)) return null;
        if (arrival.Peer is null) return (Refusal.Plain, "TLS is required here: use credentials");
        var verdict = arrival.Peer.For([.. _security.Admits]);
        if (verdict.Fault != CertificateFault.None) return (Refusals.Of(verdict.Fault), verdict.Text);
        if (!string.Equals(verdict.Identity!.Name, greeting.Node, StringComparison.Ordinal))
            return (Refusal.WrongName, $"it calls itself {greeting.Node}, its certificate is of {verdict.Identity}");
        if (greeting.Lane == Lane.Control) _security.LimitReads(arrival.Lane, remoting.Options.Time);
        return null;
    }

    private async Task<Arrival> MeetTlsAsync(SocketConnection plain, CancellationToken cancel)
    {
        var secured = await _tls!.AcceptAsync(plain, cancel).ConfigureAwait(false);
        if (secured.IsLane) return new Arrival(secured.Connection, secured.Verdict, false);
        var stream = new SecureStream(secured.Stream, secured.Verdict, plain.Socket.RemoteEndPoint);
        if (_security!.Foreign?.Invoke(stream) == true) return new Arrival(null, null, true);
        throw new HandshakeException("TLS, but neither lanes nor a protocol that is spoken here")
        { Why = Refusal.NotConvoy };
    }

    /// <summary>The first bytes, left in the socket: all four of the magic, or those that differ from it.</summary>
    private async Task<ReadOnlyMemory<byte>> PeekAsync(SocketConnection connection, CancellationToken cancel)
    {
        var first = new byte[Handshake.Magic.Length];
        while (true)
        {
            var peeked = await connection.PeekAsync(first, cancel).ConfigureAwait(false);
            if (peeked == 0) throw new SocketException((int)SocketError.ConnectionReset);
            var isMagicSoFar = first.AsSpan(0, peeked).SequenceEqual(Handshake.Magic[..peeked]);
            if (peeked == first.Length || !isMagicSoFar) return first.AsMemory(0, peeked);
            // The rest of the magic is under way; peeking does not wait for more.
            using var pause = new SemaphoreSlim(0);
            await pause.WaitAsync(PeekAgain, remoting.Options.Time).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
        }
    }

    // Closed with unread bytes, a socket would reset and the answer be lost: a bounded number of them is read first.
    private static async Task AnswerAndEndAsync(SocketConnection plain, ReadOnlyMemory<byte> answer,
        CancellationToken cancel)
    {
        if (answer.IsEmpty) return;
        await plain.SendAsync(answer, cancel).ConfigureAwait(false);
        plain.Socket.Shutdown(SocketShutdown.Send);
        var scratch = new byte[1_024];
        for (var left = ForeignBytesMax; left > 0;)
        {
            var read = await plain.ReceiveAsync(scratch, cancel).ConfigureAwait(false);
            if (read == 0) return;
            left -= read;
        }
    }
}
