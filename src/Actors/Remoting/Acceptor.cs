// Takes connections, tells ours from foreign ones by their first four bytes, shakes hands, finds or makes the link.
// Everything before a whole, fitting greeting is bounded: how many connections, how long, how many bytes.
using System.Net.Sockets;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;

namespace Convoy.Actors.Remoting;

internal sealed class Acceptor(Remoting remoting, IConnectionListener listener)
{
    private static readonly TimeSpan PeekAgain = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<(ulong Incarnation, ulong Link), AcceptedLink> _links = [];
    private int _handshakes;
    private long _refused;

    public long RefusedCount => Interlocked.Read(ref _refused);

    public List<AcceptedLink> Links
    {
        get
        {
            lock (_lock) return [.. _links.Values];
        }
    }

    public async Task RunAsync()
    {
        while (true)
        {
            IConnection? connection;
            try
            {
                connection = await listener.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception passing) when (ConnectionLoss.Is(passing))
            {
                // A connection that died before it was taken, or no file handle is left: the listener itself lives on.
                remoting.Log(LogLevel.Warning, "acceptor", $"accept failed: {passing.Message}");
                using var pause = new SemaphoreSlim(0);
                await pause.WaitAsync(PeekAgain, remoting.Options.Time).ConfigureAwait(false);
                continue;
            }

            if (connection is null) return;
            _ = TakeAsync(connection);
        }
    }

    public void Forget(AcceptedLink link)
    {
        lock (_lock)
        {
            if (_links.TryGetValue(link.Key, out var known) && known == link) _links.Remove(link.Key);
        }
    }

    private async Task TakeAsync(IConnection connection)
    {
        var kept = false;
        var waiting = Interlocked.Increment(ref _handshakes);
        try
        {
            if (waiting > remoting.Options.HandshakesMax) return;
            using var deadline = new CancellationTokenSource(remoting.Options.HandshakeTimeout, remoting.Options.Time);
            if (connection is SocketConnection plain
                && await IsOursAsync(plain, deadline.Token).ConfigureAwait(false) is { } foreign)
            {
                kept = remoting.Options.Foreign?.Invoke(plain.Socket, foreign) == true;
                if (!kept) Refuse(connection, "not a convoy connection");
                return;
            }

            var greeting = await HandshakeIo.ReadGreetingAsync(connection, deadline.Token).ConfigureAwait(false);
            kept = await AnswerAsync(connection, greeting, deadline.Token).ConfigureAwait(false);
        }
        catch (HandshakeException broken)
        {
            Refuse(connection, broken.Message);
        }
        catch (Exception gone) when (ConnectionLoss.Is(gone) || gone is OperationCanceledException)
        {
            Interlocked.Increment(ref _refused);
        }
        catch (Exception failure)
        {
            // A callback of the host threw: that must not end the listener, nor pass unseen.
            remoting.Log(LogLevel.Error, "acceptor", $"a connection failed: {failure.Message}");
        }
        finally
        {
            Interlocked.Decrement(ref _handshakes);
            if (!kept) connection.Dispose();
        }
    }

    /// <summary>Null: ours. Otherwise the bytes that were peeked and still are in the socket.</summary>
    private async Task<ReadOnlyMemory<byte>?> IsOursAsync(SocketConnection connection, CancellationToken cancel)
    {
        var first = new byte[Handshake.Magic.Length];
        while (true)
        {
            var peeked = await connection.PeekAsync(first, cancel).ConfigureAwait(false);
            if (peeked == 0) throw new SocketException((int)SocketError.ConnectionReset);
            if (!first.AsSpan(0, peeked).SequenceEqual(Handshake.Magic[..peeked])) return first.AsMemory(0, peeked);
            if (peeked == first.Length) return null;
            // The rest of the magic is under way; peeking does not wait for more.
            using var pause = new SemaphoreSlim(0);
            await pause.WaitAsync(PeekAgain, remoting.Options.Time).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
        }
    }

    private async Task<bool> AnswerAsync(IConnection connection, Greeting greeting, CancellationToken cancel)
    {
        var differences = Handshake.Differences(greeting, remoting.Options.BuildId, remoting.Features);
        if (differences.Count > 0)
        {
            await SendAsync(connection, AnswerKind.Refused, 0, differences, cancel).ConfigureAwait(false);
            Refuse(connection, $"{greeting.Node}: {string.Join("; ", differences)}");
            return false;
        }

        if (FindOrMake(greeting, connection.RemoteAddress) is not { } link)
        {
            await SendAsync(connection, AnswerKind.SessionOver, 0, [], cancel).ConfigureAwait(false);
            return false;
        }

        link.Quiet(greeting.Lane);
        await SendAsync(connection, AnswerKind.Accepted, link.ReceivedOn(greeting.Lane), [], cancel).ConfigureAwait(false);
        var error = greeting.Lane == Lane.Control
            ? link.AttachControl(connection, new PeerId(greeting.Node, new Incarnation(greeting.Incarnation)), greeting.Received)
            : link.AttachBulk(connection, greeting.Received);
        return error is null;
    }

    private AcceptedLink? FindOrMake(Greeting greeting, string address)
    {
        AcceptedLink? old;
        AcceptedLink? made = null;
        lock (_lock)
        {
            if (remoting.IsStopping) return null;
            _links.TryGetValue((greeting.Incarnation, greeting.Link), out old);
            var expectsAnother = greeting.Expected != 0 && greeting.Expected != remoting.Options.Incarnation.Value;
            if (expectsAnother) return null;
            if (old is not null && old.SessionNumber == greeting.Session) return old;
            var isNew = greeting.Lane == Lane.Control && greeting.Expected == 0 && greeting.Session > (old?.SessionNumber ?? 0);
            if (!isNew) return null;
            made = new AcceptedLink(this, remoting, greeting, address);
            _links[made.Key] = made;
        }

        old?.End(LinkDownReason.ConnectionLost, "the peer began a new session");
        return made;
    }

    private Task SendAsync(IConnection connection, AnswerKind kind, long received, IReadOnlyList<string> texts, CancellationToken cancel) =>
        HandshakeIo.SendAsync(
            connection,
            Handshake.Encode(new Answer(kind, remoting.Options.Incarnation.Value, received, remoting.Options.NodeName, texts)),
            cancel);

    private void Refuse(IConnection connection, string why)
    {
        Interlocked.Increment(ref _refused);
        remoting.Log(LogLevel.Warning, "acceptor", $"refused {connection.RemoteAddress}: {why}");
    }
}
