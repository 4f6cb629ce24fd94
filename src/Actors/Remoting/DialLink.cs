using System.Net.Sockets;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Actors.Remoting.SharedMemory;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Security;

namespace Convoy.Actors.Remoting;

/// <summary>
/// The dialling end. One loop: while a lane is missing, dial it; inside a session's grace that resumes the session,
/// afterwards it begins a new one. It ends when its owner closes it or the versions do not fit.
/// </summary>
internal sealed class DialLink(Remoting remoting, string address, DialPlace place, ulong number, IActorRef owner) : Link(remoting)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RedialDelay = TimeSpan.FromMilliseconds(5);

    private readonly SemaphoreSlim _wake = new(0);
    private ulong _expected;
    private int _failures;
    private LinkRefusedReason? _toldRefused;

    private enum Dialled
    {
        Attached,
        /// <summary>The same process answers, but it has given the session up.</summary>
        SessionOver,
        PeerRestarted,
        Refused,
        NotNow,
        /// <summary>Nobody listens at the address: the process is gone.</summary>
        Gone,
    }

    public override string Address => address;

    protected override IActorRef Owner => owner;

    protected override void Wake() => _wake.Release();

    protected override void AfterEnd()
    {
    }

    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var missing = Missing();
                if (missing.Closed && missing.Over) return;
                if (missing.Closed)
                {
                    await _wake.WaitAsync().ConfigureAwait(false);
                    continue;
                }

                if (missing.Over)
                {
                    Renew();
                    _expected = 0;
                    continue;
                }

                if (!missing.Control && !missing.Bulk)
                {
                    _failures = 0;
                    await _wake.WaitAsync().ConfigureAwait(false);
                    continue;
                }

                var lane = missing.Control ? Lane.Control : Lane.Bulk;
                var received = missing.Control ? missing.ControlReceived : missing.BulkReceived;
                if (!await ActAsync(await DialAsync(lane, received).ConfigureAwait(false)).ConfigureAwait(false)) return;
            }
        }
        catch (Exception failure)
        {
            Log(LogLevel.Error, $"dialling {address} failed: {failure.Message}");
            End(LinkDownReason.ProtocolError, failure.Message);
        }
    }

    private async Task<bool> ActAsync(Dialled dialled)
    {
        switch (dialled)
        {
            case Dialled.Attached:
                return true;
            case Dialled.Refused:
                Close();
                return false;
            case Dialled.PeerRestarted:
                End(LinkDownReason.PeerRestarted, "another process answers at the address");
                return true;
            case Dialled.SessionOver:
                End(LinkDownReason.ConnectionLost, "the peer has given the session up");
                await BackOffAsync().ConfigureAwait(false);
                return true;
            case Dialled.Gone when !NeverUp:
                End(LinkDownReason.ConnectionLost, "the connection was closed and nobody listens at the address");
                return true;
            default:
                DropHalf();
                await BackOffAsync().ConfigureAwait(false);
                return true;
        }
    }

    private async Task<Dialled> DialAsync(Lane lane, long received)
    {
        using var deadline = new CancellationTokenSource(Remoting.Options.HandshakeTimeout, Remoting.Options.Time);
        IConnection? connection = null;
        var kept = false;
        try
        {
            var endPoint = await place.ResolveAsync(deadline.Token).ConfigureAwait(false);
            connection = await Remoting.Network.DialAsync(endPoint, deadline.Token).ConfigureAwait(false);
            string? name = null;
            if (Remoting.Tls is { } tls && connection is SocketConnection plain)
            {
                var secured = await tls.DialAsync(plain, deadline.Token).ConfigureAwait(false);
                connection = secured.Connection;
                var verdict = secured.Verdict.For(Remoting.Options.Security!.Expects(address));
                if (verdict.Fault != CertificateFault.None) return Deny(verdict.Text);
                (name, PeerRole) = (verdict.Identity!.Name, verdict.Identity.Role);
                if (lane == Lane.Control) Remoting.Options.Security.LimitReads(connection, Remoting.Options.Time);
            }

            var isShared = lane == Lane.Bulk && Remoting.SharedMemory.Fits(connection);
            var greeting = GreetingFor(isShared ? Lane.SharedBulk : lane, received);
            await HandshakeIo.SendAsync(connection, Handshake.Encode(greeting), deadline.Token).ConfigureAwait(false);
            var answer = await HandshakeIo.ReadAnswerAsync(connection, deadline.Token).ConfigureAwait(false);
            if (answer.Kind == AnswerKind.Accepted)
            {
                if (name is not null && name != answer.Node) return Deny($"{answer.Node} answers with the certificate of {name}");
                if (_expected != 0 && answer.Incarnation != _expected) return Dialled.PeerRestarted;
                _expected = answer.Incarnation;
                _toldRefused = null;
                if (isShared)
                    connection = await SharedMemoryOffer.TakeUpAsync(connection, greeting, answer, deadline.Token).ConfigureAwait(false);
                kept = Attach(lane, connection, answer) is null;
                return kept ? Dialled.Attached : Dialled.NotNow;
            }

            return OnNotAccepted(answer);
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost))
        {
            return lost is SocketException { SocketErrorCode: SocketError.ConnectionRefused } ? Dialled.Gone : Dialled.NotNow;
        }
        catch (OperationCanceledException)
        {
            return Dialled.NotNow;
        }
        catch (HandshakeException stranger)
        {
            TellRefused(LinkRefusedReason.NotConvoy, [stranger.Message]);
            return Dialled.NotNow;
        }
        finally
        {
            if (!kept) connection?.Dispose();
        }
    }

    private string? Attach(Lane lane, IConnection connection, Answer answer) => lane == Lane.Control
        ? AttachControl(connection, new PeerId(answer.Node, new Incarnation(answer.Incarnation)), answer.Received)
        : AttachBulk(connection, answer.Received);

    private Dialled Deny(string text)
    {
        TellRefused(LinkRefusedReason.Denied, [text]);
        return Dialled.Refused;
    }

    private Dialled OnNotAccepted(Answer answer)
    {
        switch (answer.Kind)
        {
            case AnswerKind.SessionOver:
                return _expected != 0 && answer.Incarnation != _expected ? Dialled.PeerRestarted : Dialled.SessionOver;
            case AnswerKind.Busy:
                TellRefused(LinkRefusedReason.Busy, answer.Texts);
                return Dialled.NotNow;
            case AnswerKind.Denied:
                TellRefused(LinkRefusedReason.Denied, answer.Texts);
                return Dialled.Refused;
            default:
                TellRefused(LinkRefusedReason.Versions, answer.Texts);
                return Dialled.Refused;
        }
    }

    private void TellRefused(LinkRefusedReason reason, IReadOnlyList<string> differences)
    {
        if (_toldRefused == reason) return; // once, not at each attempt
        _toldRefused = reason;
        Log(LogLevel.Warning, $"refused ({reason}): {string.Join("; ", differences)}");
        owner.Tell(new LinkRefused(address, reason, differences), ActorRefs.NoSender);
    }

    private Greeting GreetingFor(Lane lane, long received) => new(
        lane, Handshake.ProtocolVersion, Remoting.Options.Incarnation.Value, _expected, number, SessionNumber, received,
        Remoting.Options.NodeName, Remoting.Options.BuildId, Remoting.Features);

    /// <summary>50 ms doubled up to 1 s, with a quarter of jitter so that many diallers do not come in waves.</summary>
    private async Task BackOffAsync()
    {
        var delay = NeverUp ? Jittered(_failures++) : RedialDelay;
        await _wake.WaitAsync(delay, Remoting.Options.Time).ConfigureAwait(false);
    }

    private TimeSpan Jittered(int failures)
    {
        var whole = TimeSpan.FromTicks(Math.Min(FirstDelay.Ticks << Math.Min(failures, 10), LastDelay.Ticks));
        var mixed = (Remoting.Options.Incarnation.Value + number * 0x9E3779B97F4A7C15 + (ulong)failures) * 0xBF58476D1CE4E5B9;
        return whole - whole * ((mixed >> 40) % 256 / 1024.0);
    }
}

internal static class SemaphoreSlimExtensions
{
    /// <summary>Waits on the given clock: SemaphoreSlim itself only knows the system's.</summary>
    public static async Task WaitAsync(this SemaphoreSlim semaphore, TimeSpan limit, TimeProvider time)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        try
        {
            await semaphore.WaitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The limit is the ordinary end of this wait.
        }
    }
}
