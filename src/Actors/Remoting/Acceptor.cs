// Takes connections, shakes hands, finds or makes the link. What comes before a whole, fitting greeting of somebody who
// may be here is the business of Security/Entrance.cs.
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Actors.Remoting.Security;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Security;
using Convoy.Shared.Threading;

namespace Convoy.Actors.Remoting;

internal sealed class Acceptor(Remoting remoting, IConnectionListener listener)
{
    private static readonly TimeSpan AcceptAgain = TimeSpan.FromMilliseconds(10);

    private readonly OrderedLock _lock = new("the acceptor", LockRank.Service);
    private readonly Dictionary<(string Node, ulong Incarnation, ulong Link), AcceptedLink> _links = [];
    private readonly Entrance _entrance = new(remoting);

    public long RefusedCount => _entrance.RefusedCount;

    public List<AcceptedLink> Links
    {
        get
        {
            using (_lock.Enter()) return [.. _links.Values];
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
                await pause.WaitAsync(AcceptAgain, remoting.Options.Time).ConfigureAwait(false);
                continue;
            }

            if (connection is null) return;
            _ = TakeAsync(connection);
        }
    }

    public void Forget(AcceptedLink link)
    {
        using (_lock.Enter())
        {
            if (_links.TryGetValue(link.Key, out var known) && known == link) _links.Remove(link.Key);
        }
    }

    private async Task TakeAsync(IConnection connection)
    {
        if (!_entrance.TryEnter(connection))
        {
            connection.Dispose();
            return;
        }

        var (kept, refused) = (false, false);
        var lane = connection; // or TLS over it, once that is agreed on
        try
        {
            using var deadline = new CancellationTokenSource(remoting.Options.HandshakeTimeout, remoting.Options.Time);
            var arrival = await _entrance.MeetAsync(connection, deadline.Token).ConfigureAwait(false);
            kept = arrival.Kept;
            if (arrival.Lane is null) return;
            lane = arrival.Lane;
            var greeting = await HandshakeIo.ReadGreetingAsync(lane, deadline.Token).ConfigureAwait(false);
            kept = await AnswerAsync(arrival, greeting, deadline.Token).ConfigureAwait(false);
        }
        catch (HandshakeException broken)
        {
            refused = true;
            _entrance.Refuse(connection, broken.Why, broken.Message);
        }
        catch (Exception gone) when (ConnectionLoss.Is(gone) || gone is OperationCanceledException)
        {
            refused = true;
            _entrance.Refuse(connection, Refusal.Silent,
                "it was closed, or said too little, before it had shaken hands");
        }
        catch (Exception failure)
        {
            // A callback of the host threw: that must not end the listener, nor pass unseen.
            remoting.Log(LogLevel.Error, "acceptor", $"a connection failed: {failure.Message}");
        }
        finally
        {
            _entrance.Leave(connection, refused);
            if (!kept) lane.Dispose();
        }
    }

    private async Task<bool> AnswerAsync(Arrival arrival, Greeting greeting, CancellationToken cancel)
    {
        var connection = arrival.Lane!;
        if (_entrance.Examine(greeting, arrival) is { } denied)
        {
            await SendAsync(connection, AnswerKind.Denied, 0, [denied.Text], cancel).ConfigureAwait(false);
            throw new HandshakeException(denied.Text) { Why = denied.Why };
        }

        var differences = Handshake.Differences(greeting, remoting.Options.BuildId, remoting.Features);
        if (differences.Count > 0)
        {
            await SendAsync(connection, AnswerKind.Refused, 0, differences, cancel).ConfigureAwait(false);
            throw new HandshakeException($"{greeting.Node}: {string.Join("; ", differences)}")
            { Why = Refusal.Versions };
        }

        if (remoting.NotYet is { } notYet)
        {
            await SendAsync(connection, AnswerKind.Busy, 0, [notYet], cancel).ConfigureAwait(false);
            return false;
        }

        var looksForAnother = greeting.Wanted != 0 && greeting.Wanted != remoting.Options.Incarnation.Value;
        if (looksForAnother
            || FindOrMake(greeting, connection.RemoteAddress, arrival.Peer?.Identity?.Role) is not { } link)
        {
            await SendAsync(connection, AnswerKind.SessionOver, 0, [], cancel).ConfigureAwait(false);
            return false;
        }

        link.Quiet(greeting.Lane);
        using var offer = remoting.SharedMemory.Make(connection, greeting, remoting.Options.Incarnation);
        await SendAsync(connection, AnswerKind.Accepted, link.ReceivedOn(greeting.Lane), offer?.Lines ?? [], cancel)
            .ConfigureAwait(false);
        if (offer is not null) connection = await offer.SettleAsync(connection, cancel).ConfigureAwait(false);
        var error = greeting.Lane == Lane.Control
            ? link.AttachControl(connection, new PeerId(greeting.Node, new Incarnation(greeting.Incarnation)),
                greeting.Received)
            : link.AttachBulk(connection, greeting.Received);
        if (error is not null) connection.Dispose();
        return error is null;
    }

    private AcceptedLink? FindOrMake(Greeting greeting, string address, ClusterRole? role)
    {
        AcceptedLink? old;
        AcceptedLink? made = null;
        using (_lock.Enter())
        {
            if (remoting.IsStopping) return null;
            _links.TryGetValue((greeting.Node, greeting.Incarnation, greeting.Link), out old);
            var expectsAnother = greeting.Expected != 0 && greeting.Expected != remoting.Options.Incarnation.Value;
            if (expectsAnother) return null;
            if (old is not null && old.SessionNumber == greeting.Session) return old;
            var isNew = greeting.Lane == Lane.Control && greeting.Expected == 0
                && greeting.Session > (old?.SessionNumber ?? 0);
            if (!isNew) return null;
            made = new AcceptedLink(this, remoting, greeting, address, role);
            _links[made.Key] = made;
        }

        old?.End(LinkDownReason.ConnectionLost, "the peer began a new session");
        return made;
    }

    private Task SendAsync(IConnection connection, AnswerKind kind, long received, IReadOnlyList<string> texts,
        CancellationToken cancel) =>
        HandshakeIo.SendAsync(
            connection,
            Handshake.Encode(new Answer(kind, remoting.Options.Incarnation.Value, received,
                remoting.Options.NodeName, texts)),
            cancel);
}
