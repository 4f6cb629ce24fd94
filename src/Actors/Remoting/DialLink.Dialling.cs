using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting.Addresses;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Shared.Ids;
using Convoy.Shared.Security;

namespace Convoy.Actors.Remoting;

/// <summary>One attempt at a lane: find an address that answers, and make sure who it is.</summary>
internal sealed partial class DialLink
{
    /// <param name="Dialled">What came about.</param>
    /// <param name="Reason">Set when the other side, or this one, refused.</param>
    /// <param name="Texts">Why nothing came about; one line each.</param>
    private readonly record struct Shaken(Dialled Dialled, LinkRefusedReason? Reason, IReadOnlyList<string> Texts)
    {
        public static Shaken Of(Dialled dialled, string text = "") => new(dialled, null, [text]);
    }

    /// <summary>
    /// Inside a session the address is known. Otherwise the nearest address that answers is taken, and who answers must
    /// be the node that is looked for: with several addresses, one of them may be another node's (R19).
    /// </summary>
    private async Task<Dialled> DialAsync(Lane lane, long received)
    {
        using var deadline = new CancellationTokenSource(Remoting.Options.HandshakeTimeout, Remoting.Options.Time);
        IReadOnlyList<int> left = _chosen is { } known ? [known] : Order();
        var isOnly = left.Count == 1;
        var (tried, denied) = (new List<string>(), 0);
        while (left.Count > 0 && !deadline.IsCancellationRequested)
        {
            var probed = await AddressProbe.DialAsync(
                Remoting.Network, _target.Places, left, tried, Remoting.Options.Time, deadline.Token)
                    .ConfigureAwait(false);
            if (probed.Connection is null)
            {
                if (_chosen is null) TellUnreachable(tried);
                var nobodyListens = probed.Failures.All(f =>
                    f.Why is SocketException { SocketErrorCode: SocketError.ConnectionRefused });
                return isOnly && nobodyListens ? Dialled.Gone : Dialled.NotNow;
            }

            var shaken = await ShakeAsync(probed.Connection, lane, received, isOnly, deadline.Token)
                .ConfigureAwait(false);
            if (shaken.Dialled == Dialled.Attached) (_chosen, _toldUnreachable) = (probed.Place, false);
            var isFinal = shaken.Reason == LinkRefusedReason.Versions
                || shaken.Dialled is Dialled.Attached or Dialled.SessionOver or Dialled.PeerRestarted;
            if (isOnly || isFinal) return Tell(shaken, _target.Places[probed.Place]);
            if (shaken.Dialled == Dialled.Refused) denied++;
            tried.Add($"{_target.Places[probed.Place]} ({string.Join("; ", shaken.Texts)})");
            left = [.. left.Where(p => p != probed.Place && probed.Failures.All(f => f.Place != p))];
        }

        if (denied == _target.Places.Count)
            return Tell(new Shaken(Dialled.Refused, LinkRefusedReason.Denied, tried), default);
        TellUnreachable(tried);
        return Dialled.NotNow;
    }

    private Dialled Tell(Shaken shaken, DialPlace place)
    {
        if (shaken.Reason is { } reason) TellRefused(reason, shaken.Texts);
        if (shaken.Dialled != Dialled.AnotherNode) return shaken.Dialled;
        TellUnreachable([$"{place} ({shaken.Texts[0]})"]);
        return Dialled.NotNow;
    }

    private IReadOnlyList<int> Order() => _target.Places.Count == 1 ? [0]
        : [.. AddressList.Ranked([.. _target.Places.Select(p => p.Known?.Address)], HostAddresses.All())
            .OrderBy(place => place == _left)];

    private async Task<Shaken> ShakeAsync(IConnection connection, Lane lane, long received, bool isOnly,
        CancellationToken cancel)
    {
        // An address that leads nowhere useful must leave time for the next one.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (!isOnly) patience.CancelAfter(Remoting.Options.HandshakeTimeout / 4);
        var kept = false;
        try
        {
            string? name = null;
            if (Remoting.Tls is { } tls && connection is SocketConnection plain)
            {
                var secured = await tls.DialAsync(plain, patience.Token).ConfigureAwait(false);
                connection = secured.Connection;
                var verdict = secured.Verdict.For(Remoting.Options.Security!.Expects(_first.Address));
                if (verdict.Fault != CertificateFault.None) return Denied(verdict.Text);
                (name, PeerRole) = (verdict.Identity!.Name, verdict.Identity.Role);
                if (lane == Lane.Control) Remoting.Options.Security.LimitReads(connection, Remoting.Options.Time);
            }

            var isShared = lane == Lane.Bulk && Remoting.SharedMemory.Fits(connection);
            var greeting = GreetingFor(isShared ? Lane.SharedBulk : lane, received);
            await HandshakeIo.SendAsync(connection, Handshake.Encode(greeting), patience.Token).ConfigureAwait(false);
            var answer = await HandshakeIo.ReadAnswerAsync(connection, patience.Token).ConfigureAwait(false);
            if (answer.Kind != AnswerKind.Accepted) return NotAccepted(answer);
            if (name is not null && name != answer.Node)
                return Denied($"{answer.Node} answers with the certificate of {name}");
            if (_expected != 0 && answer.Incarnation != _expected) return Shaken.Of(Dialled.PeerRestarted);
            _expected = answer.Incarnation;
            _toldRefused = null;
            if (isShared)
                connection = await Remoting.SharedMemory.TakeUpAsync(connection, greeting, answer, cancel)
                    .ConfigureAwait(false);
            kept = Attach(lane, connection, answer) is null;
            return Shaken.Of(kept ? Dialled.Attached : Dialled.NotNow, "the session is over");
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost) || lost is OperationCanceledException)
        {
            return Shaken.Of(Dialled.NotNow, AddressProbe.Why(lost));
        }
        catch (HandshakeException stranger)
        {
            return new Shaken(Dialled.NotNow, LinkRefusedReason.NotConvoy, [stranger.Message]);
        }
        finally
        {
            if (!kept) connection.Dispose();
        }
    }

    private string? Attach(Lane lane, IConnection connection, Answer answer) => lane == Lane.Control
        ? AttachControl(connection, new PeerId(answer.Node, new Incarnation(answer.Incarnation)), answer.Received)
        : AttachBulk(connection, answer.Received);

    private static Shaken Denied(string text) => new(Dialled.Refused, LinkRefusedReason.Denied, [text]);

    private Shaken NotAccepted(Answer answer) => answer.Kind switch
    {
        AnswerKind.SessionOver when _target.Wanted != default && answer.Incarnation != _target.Wanted.Value =>
            Shaken.Of(Dialled.AnotherNode,
                $"{answer.Node} answers there, as another process than the one that is looked for"),
        AnswerKind.SessionOver => Shaken.Of(
            _expected != 0 && answer.Incarnation != _expected ? Dialled.PeerRestarted : Dialled.SessionOver,
            "the session is over"),
        AnswerKind.Busy => new Shaken(Dialled.NotNow, LinkRefusedReason.Busy, answer.Texts),
        AnswerKind.Denied => new Shaken(Dialled.Refused, LinkRefusedReason.Denied, answer.Texts),
        _ => new Shaken(Dialled.Refused, LinkRefusedReason.Versions, answer.Texts),
    };
}

/// <summary>
/// Whom a link leads to: the places as they were written, and the process that must answer (0: whoever does).
/// </summary>
internal sealed record DialTarget(string Address, IReadOnlyList<DialPlace> Places, Incarnation Wanted);
