using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting.Security;

/// <summary>
/// How fast one peer may make this process read control frames: so many bytes a second, and a store of a few seconds'
/// worth for bursts. Whoever reads waits when the store is empty, and TCP makes the peer wait. Pure: time comes in.
/// </summary>
internal sealed class ByteBudget(long bytesPerSecond, long burstBytes, Instant now)
{
    private double _store = burstBytes;
    private Instant _at = now;

    /// <summary>Takes what was read; how long to wait before the next read.</summary>
    public TimeSpan Take(int bytes, Instant now)
    {
        _store = Math.Min(burstBytes, _store + (now - _at).TotalSeconds * bytesPerSecond) - bytes;
        _at = now;
        return _store >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_store / bytesPerSecond);
    }
}
