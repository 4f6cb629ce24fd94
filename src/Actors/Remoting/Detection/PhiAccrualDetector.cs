// How sure is it that a silent peer is dead? Hayashibara, Defago, Yared, Katayama, "The phi accrual failure detector",
// SRDS 2004: the suspicion is phi = -log10 P(a beat comes later than now), with the times between beats taken as
// normal. The tail of the normal distribution is the logistic approximation of Bowling and others (J. of Industrial
// Engineering and Management, 2009), which is exact enough for a threshold and has no table. No clock, no I/O.
// PA-1  Between two signs of life the suspicion never falls.
// PA-2  A sign of life makes it fall at once.
// PA-3  What is not known yet is never suspected: before the first sign phi is 0.
// PA-4  The word of others works in one direction only: it declares a death earlier, never keeps a silent peer alive,
//       and alone it is no proof: this side must find the peer late too.
// PA-5  However unsteady the network is, a silence of SilenceMax plus the forgiven stall is a death.
using System.Globalization;
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting.Detection;

public sealed record PhiAccrualOptions
{
    /// <summary>Phi 8 lies this many deviations above the mean: phi(5.23) = 8 in the approximation above.</summary>
    private const double DeviationsAtEight = 5.23;

    /// <summary>Share of <see cref="ClockTable.Dead"/> at which a peer on a steady network is given up: what is left
    /// pays for the beat that was due when it died and for the interval of looking.</summary>
    private const double SteadyShare = 0.9;

    /// <summary>Phi from which a peer counts as dead; 8: one wrong verdict in 10^8 beats of a steady network.</summary>
    public double Threshold { get; init; } = 8;

    /// <summary>Times between beats that are remembered.</summary>
    public int WindowMax { get; init; } = 100;

    /// <summary>
    /// What is expected before anything was measured, and at least: beats that came together are no habit.
    /// </summary>
    public TimeSpan FirstInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Floor of the deviation: a very steady network must not make one late beat a death.</summary>
    public TimeSpan DeviationMin { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Silence that is a death whatever was measured, without the forgiven stall.</summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A stall of a living peer (a long collection of garbage, a stopped process) that is forgiven: it is added to the
    /// expected interval. 0 finds a dead peer within a second on a quiet network; 3 s forgives stalls of 3 s.
    /// </summary>
    public TimeSpan AcceptableStall { get; init; } = TimeSpan.Zero;

    /// <summary>Different peers that must report silence before their word shortens the wait.</summary>
    public int ReportsMin { get; init; } = 2;

    /// <summary>
    /// The detector for the numbers of a cluster: on a steady network a peer is known to be dead within
    /// <see cref="ClockTable.Dead"/>, on an unsteady one within twice that; the stall comes on top.
    /// </summary>
    public static PhiAccrualOptions From(ClockTable clocks) => new()
    {
        FirstInterval = clocks.Beat,
        DeviationMin = (SteadyShare * clocks.Dead - clocks.Beat) / DeviationsAtEight,
        SilenceMax = 2 * clocks.Dead,
        AcceptableStall = clocks.Stall,
    };
}

/// <summary>Whether the peer is taken for dead, and why in words; empty while it is not.</summary>
public readonly record struct PeerVerdict(bool IsDead, string Reason);

/// <summary>The verdict on one peer, from its beats and from what others say of it.</summary>
public sealed class PhiAccrualDetector(PhiAccrualOptions options)
{
    private readonly double[] _intervals = new double[options.WindowMax]; // ms, a ring
    private readonly List<string> _reporters = [];
    private int _count;
    private int _next;
    private double _sum;
    private double _sumOfSquares;
    private Instant? _beat;
    private Instant? _heard;

    /// <summary>The last sign of life; the clock's origin before the first.</summary>
    public Instant HeardAt => _heard ?? Instant.Zero;

    /// <summary>A beat, which comes in intervals that are measured.</summary>
    public void OnBeat(Instant now)
    {
        if (_beat is { } last && now >= last) Remember((now - last).TotalMilliseconds);
        _beat = now;
        OnHeard(now);
    }

    /// <summary>Anything else that only a living peer sends: it says nothing about intervals.</summary>
    public void OnHeard(Instant now)
    {
        _heard = now;
        _reporters.Clear();
    }

    /// <summary>Another peer waits for this one. Its word counts once until the next sign of life, and only when that
    /// is due: who waits for somebody on time has nothing to report.</summary>
    public void OnReport(string reporter, Instant now)
    {
        if (_heard is not { } heard || (now - heard).TotalMilliseconds <= Expected().Mean) return;
        var isNew = _reporters.Count < options.ReportsMin && !_reporters.Contains(reporter, StringComparer.Ordinal);
        if (isNew) _reporters.Add(reporter);
    }

    /// <summary>This side was stopped or starved for as long: its own pause is no silence of the peer.</summary>
    public void OnOwnPause(TimeSpan pause, Instant now)
    {
        _heard = Later(_heard, pause, now);
        _beat = Later(_beat, pause, now);
    }

    /// <summary>Near 0 while a beat is not due, rising without bound afterwards.</summary>
    public double Phi(Instant now)
    {
        if (_heard is not { } heard) return 0;
        var (mean, deviation) = Expected();
        var y = ((now - heard).TotalMilliseconds - mean) / deviation;
        var e = Math.Exp(-y * (1.5976 + 0.070566 * y * y));
        var later = double.IsInfinity(e) ? 1 : e / (1 + e);
        return later > 0 ? -Math.Log10(later) : double.PositiveInfinity;
    }

    public PeerVerdict Decide(Instant now)
    {
        // Asked for every peer many times a second: who is on time costs nothing.
        if (_heard is not { } heard || now - heard <= options.FirstInterval + options.AcceptableStall) return default;
        var silence = now - heard;
        var phi = Phi(now);
        if (phi >= options.Threshold) return Dead(silence, $"phi {Text(phi)}");
        if (silence >= options.SilenceMax + options.AcceptableStall)
            return Dead(silence, "the longest that is waited for");
        return _reporters.Count >= options.ReportsMin && phi >= options.Threshold / 2
            ? Dead(silence, $"phi {Text(phi)}, and {string.Join(" and ", _reporters)} wait for it too")
            : default;
    }

    private static PeerVerdict Dead(TimeSpan silence, string why) =>
        new(true, $"silent for {silence.TotalMilliseconds:0} ms, {why}");

    private static string Text(double phi) => phi.ToString("0.0", CultureInfo.InvariantCulture);

    private static Instant? Later(Instant? at, TimeSpan by, Instant now) =>
        at is not { } known ? null : known + by < now ? known + by : now;

    private (double Mean, double Deviation) Expected()
    {
        var mean = _count == 0 ? options.FirstInterval.TotalMilliseconds : _sum / _count;
        var variance = _count == 0 ? 0 : Math.Max(0, _sumOfSquares / _count - mean * mean);
        var deviation = Math.Max(Math.Sqrt(variance), options.DeviationMin.TotalMilliseconds);
        mean = Math.Max(mean, options.FirstInterval.TotalMilliseconds);
        return (mean + options.AcceptableStall.TotalMilliseconds, deviation);
    }

    private void Remember(double interval)
    {
        // A forgiven stall is no habit: it must not make the next silence look ordinary.
        var isStall = options.AcceptableStall > TimeSpan.Zero
            && interval > Expected().Mean - options.AcceptableStall.TotalMilliseconds / 2;
        if (isStall) return;
        if (_count == _intervals.Length)
        {
            _sum -= _intervals[_next];
            _sumOfSquares -= _intervals[_next] * _intervals[_next];
        }
        else
        {
            _count++;
        }

        _intervals[_next] = interval;
        _sum += interval;
        _sumOfSquares += interval * interval;
        _next = (_next + 1) % _intervals.Length;
    }
}
