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

    // Sums over the window: a status is made after every beat of a worker.
    private long _samples;
    private long _totalUs;
    private long _syncUs;
    private long _saveUs;
    private readonly Queue<(long Samples, long TotalUs, long SyncUs, long SaveUs)> _window = new();

    public void Add(StepRow row)
    {
        var us = Math.Max(1, row.TotalUs + row.SaveUs); // what a save takes is no part of the step that it follows
        _window.Enqueue((row.Samples, us, row.SyncUs, row.SaveUs));
        (_samples, _totalUs, _syncUs) = (_samples + row.Samples, _totalUs + us, _syncUs + row.SyncUs);
        _saveUs += row.SaveUs;
        while (_window.Count > StepsMax || (_window.Count > StepsMin && _totalUs - _window.Peek().TotalUs > WindowUs))
        {
            var gone = _window.Dequeue();
            (_samples, _totalUs, _syncUs) = (_samples - gone.Samples, _totalUs - gone.TotalUs, _syncUs - gone.SyncUs);
            _saveUs -= gone.SaveUs;
        }
    }

    private double Seconds => _totalUs / 1e6;

    public double? SamplesPerSecond => _window.Count == 0 ? null : _samples / Seconds;

    public double? SyncShare => _window.Count == 0 ? null : _syncUs / 1e6 / Seconds;

    public double? SaveShare => _window.Count == 0 ? null : _saveUs / 1e6 / Seconds;

    public double? SecondsPerStep => _window.Count == 0 ? null : Seconds / _window.Count;
}
