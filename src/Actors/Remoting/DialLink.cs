using System.Net.Sockets;
using Convoy.Actors.Remoting.Addresses;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Security;

namespace Convoy.Actors.Remoting;

/// <summary>
/// The dialling end. One loop: while a lane is missing, dial it; inside a session's grace that resumes the session,
/// afterwards it begins a new one. It ends when its owner closes it or the versions do not fit.
/// </summary>
internal sealed partial class DialLink(Remoting remoting, DialTarget target, ulong number, IActorRef owner)
    : Link(remoting)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RedialDelay = TimeSpan.FromMilliseconds(5);

    private readonly SemaphoreSlim _wake = new(0);
    private ulong _expected;
    private int _failures;
    private LinkRefusedReason? _toldRefused;
    private bool _toldUnreachable;
    private int? _chosen; // the place that led to the peer, in this session
    private int? _left;   // the place of the session before, tried last where others may answer
    private readonly DialTarget _first = target;
    private DialTarget _target = target;
    private volatile DialTarget? _wider; // from the next session on

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
        /// <summary>Another node answers at this address: the one that is looked for may be at the next.</summary>
        AnotherNode,
    }

    public override string Address => _first.Address;

    protected override IActorRef Owner => owner;

    protected override void Wake() => _wake.Release();

    public override void AlsoAt(string address, TimeSpan silence)
    {
        var known = _first.Places; // places keep their numbers
        var others = Endpoints.ToDial(address, Remoting.Options.Security is not null).Where(p => !known.Contains(p));
        _wider = _first with { Places = [.. known.Concat(others).Take(AddressList.EntriesMax)] };
        BearNoSilenceOver(silence);
    }

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
                    if (_wider is { } wider) (_target, _left) = (wider, _chosen ?? _left);
                    (_expected, _chosen) = (0, null);
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
                if (!await ActAsync(await DialAsync(lane, received).ConfigureAwait(false)).ConfigureAwait(false))
                    return;
            }
        }
        catch (Exception failure)
        {
            Log(LogLevel.Error, $"dialling {_first.Address} failed: {failure.Message}");
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

    private void TellRefused(LinkRefusedReason reason, IReadOnlyList<string> differences)
    {
        if (_toldRefused == reason) return; // once, not at each attempt
        _toldRefused = reason;
        Log(LogLevel.Warning, $"refused ({reason}): {string.Join("; ", differences)}");
        owner.Tell(new LinkRefused(_first.Address, reason, differences), ActorRefs.NoSender);
    }

    private void TellUnreachable(IReadOnlyList<string> tried)
    {
        if (_toldUnreachable) return; // once, not at each attempt
        _toldUnreachable = true;
        var told = new LinkUnreachable(_first.Address, tried);
        Log(LogLevel.Warning, told.ToString());
        owner.Tell(told, ActorRefs.NoSender);
    }

    private Greeting GreetingFor(Lane lane, long received) => new(
        lane, Handshake.ProtocolVersion, Remoting.Options.Incarnation.Value, _expected, number, SessionNumber, received,
        Remoting.Options.NodeName, Remoting.Options.BuildId, Remoting.Features)
    { Wanted = _target.Wanted.Value };

    /// <summary>50 ms doubled up to 0.5 s, with a quarter of jitter: many diallers do not come in waves.</summary>
    private async Task BackOffAsync()
    {
        var delay = NeverUp ? Jittered(_failures++) : RedialDelay;
        await _wake.WaitAsync(delay, Remoting.Options.Time).ConfigureAwait(false);
    }

    private TimeSpan Jittered(int failures)
    {
        var whole = TimeSpan.FromTicks(Math.Min(FirstDelay.Ticks << Math.Min(failures, 10), LastDelay.Ticks));
        var mixed =
            (Remoting.Options.Incarnation.Value + number * 0x9E3779B97F4A7C15 + (ulong)failures) * 0xBF58476D1CE4E5B9;
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
