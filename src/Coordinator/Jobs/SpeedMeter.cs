using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Jobs;

/// <summary>
/// Speed over the last steps, from the workers' own times: fifty of them, or as many as take five seconds, so that fast
/// steps do not make it jump.
/// </summary>
internal sealed class SpeedMeter
{
    private const int StepsMin = 50;
    private const int StepsMax = 5_000;
    private const long WindowUs = 5_000_000;

    private long _totalUs;
    private readonly Queue<(long Samples, long TotalUs, long SyncUs)> _window = new();

    public void Add(StepRow row)
    {
        var us = Math.Max(1, row.TotalUs);
        _window.Enqueue((row.Samples, us, row.SyncUs));
        _totalUs += us;
        while (_window.Count > StepsMax || (_window.Count > StepsMin && _totalUs - _window.Peek().TotalUs > WindowUs))
            _totalUs -= _window.Dequeue().TotalUs;
    }

    private double Seconds => _totalUs / 1e6;

    public double? SamplesPerSecond => _window.Count == 0 ? null : _window.Sum(w => w.Samples) / Seconds;

    public double? SyncShare => _window.Count == 0 ? null : _window.Sum(w => w.SyncUs) / 1e6 / Seconds;

    public double? SecondsPerStep => _window.Count == 0 ? null : Seconds / _window.Count;
}
