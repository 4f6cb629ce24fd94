// How sure is it that a silent peer is dead? Hayashibara, Defago, Yared, Katayama, "The phi accrual failure detector",
// SRDS 2004: the suspicion is phi = -log10 P(a beat comes later than now), with the times between beats taken as normal.
// The tail of the normal distribution is the logistic approximation of Bowling and others (J. of Industrial Engineering
// and Management, 2009), which is exact enough for a threshold and has no table. No clock, no I/O.
// PA-1  Between two beats the suspicion never falls.
// PA-2  A beat makes it fall at once.
// PA-3  What is not known yet is never suspected: before the first beat phi is 0.
// PA-4  Other evidence works in one direction only: it can declare a death earlier, never keep a silent peer alive.
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting.Detection;

public sealed record PhiAccrualOptions
{
    /// <summary>Phi from which a peer counts as dead; 8: one wrong verdict in 10^8 beats of a steady network.</summary>
    public double Threshold { get; init; } = 8;

    /// <summary>Times between beats that are remembered.</summary>
    public int WindowMax { get; init; } = 200;

    /// <summary>What is expected before anything was measured.</summary>
    public TimeSpan FirstInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Floor of the deviation: a very steady network must not make one late beat a death.</summary>
    public TimeSpan DeviationMin { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// A stall of a living peer (a long collection of garbage, a stopped process) that is forgiven: it is added to the
    /// expected interval. 0 finds a dead peer within a second on a quiet network; 3 s forgives stalls of 3 s.
    /// </summary>
    public TimeSpan AcceptableStall { get; init; } = TimeSpan.Zero;

    /// <summary>Different peers that must report silence before their word shortens the wait.</summary>
    public int ReportsMin { get; init; } = 2;
}

/// <summary>Whether the peer is taken for dead, and why in words.</summary>
public readonly record struct PeerVerdict(bool IsDead, string Reason);

/// <summary>The verdict on one peer, from its beats, the reports of others and the state of its connection.</summary>
public sealed class PhiAccrualDetector(PhiAccrualOptions options)
{
    private readonly double[] _intervals = new double[options.WindowMax]; // ms, a ring
    private readonly List<string> _reporters = [];
    private int _count;
    private int _next;
    private double _sum;
    private double _sumOfSquares;
    private Instant? _last;
    private bool _isUnreachable;

    /// <summary>A beat, or anything else that only a living peer sends.</summary>
    public void OnBeat(Instant now)
    {
        if (_last is { } last && now >= last) Remember((now - last).TotalMilliseconds);
        _last = now;
        _reporters.Clear();
        _isUnreachable = false;
    }

    /// <summary>Another member does not hear the peer either. Its word counts once until the next beat.</summary>
    public void OnReport(string reporter)
    {
        if (!_reporters.Contains(reporter, StringComparer.Ordinal)) _reporters.Add(reporter);
    }

    /// <summary>The connection was closed and nobody answers at the address: the process is gone.</summary>
    public void OnUnreachable() => _isUnreachable = true;

    /// <summary>Near 0 while a beat is not due, rising without bound afterwards.</summary>
    public double Phi(Instant now)
    {
        if (_last is not { } last) return 0;
        var (mean, deviation) = Expected();
        var y = ((now - last).TotalMilliseconds - mean) / deviation;
        var e = Math.Exp(-y * (1.5976 + 0.070566 * y * y));
        var later = double.IsInfinity(e) ? 1 : e / (1 + e);
        return later > 0 ? -Math.Log10(later) : double.PositiveInfinity;
    }

    public PeerVerdict Decide(Instant now)
    {
        if (_isUnreachable) return new PeerVerdict(true, "its connection is closed and nobody answers at its address");
        var phi = Phi(now);
        if (phi >= options.Threshold)
            return new PeerVerdict(true, $"silent for {(now - _last!.Value).TotalMilliseconds:F0} ms, phi {phi:F1}");
        // The others' word is no proof by itself: this side must find the peer late too.
        return _reporters.Count >= options.ReportsMin && phi >= options.Threshold / 4
            ? new PeerVerdict(true, $"{string.Join(", ", _reporters)} do not hear it either, phi {phi:F1}")
            : new PeerVerdict(false, $"phi {phi:F1}");
    }

    private (double Mean, double Deviation) Expected()
    {
        var mean = _count == 0 ? options.FirstInterval.TotalMilliseconds : _sum / _count;
        var variance = _count == 0 ? Math.Pow(mean / 4, 2) : Math.Max(0, _sumOfSquares / _count - mean * mean);
        var deviation = Math.Max(Math.Sqrt(variance), options.DeviationMin.TotalMilliseconds);
        return (mean + options.AcceptableStall.TotalMilliseconds, deviation);
    }

    private void Remember(double interval)
    {
        // A forgiven stall is no habit: it must not make the next silence look ordinary.
        var isStall = options.AcceptableStall > TimeSpan.Zero && interval > options.AcceptableStall.TotalMilliseconds / 2;
        if (isStall && _count > 0) return;
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
