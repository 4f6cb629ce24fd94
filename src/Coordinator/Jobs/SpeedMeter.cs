using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Jobs;

/// <summary>Speed over the last steps, from the workers' own times.</summary>
internal sealed class SpeedMeter
{
    private const int WindowSteps = 50;

    private readonly Queue<(long Samples, long TotalUs, long SyncUs)> _window = new();

    public void Add(StepRow row)
    {
        _window.Enqueue((row.Samples, Math.Max(1, row.TotalUs), row.SyncUs));
        if (_window.Count > WindowSteps) _window.Dequeue();
    }

    private double Seconds => _window.Sum(w => w.TotalUs) / 1e6;

    public double? SamplesPerSecond => _window.Count == 0 ? null : _window.Sum(w => w.Samples) / Seconds;

    public double? SyncShare => _window.Count == 0 ? null : _window.Sum(w => w.SyncUs) / 1e6 / Seconds;

    public double? SecondsPerStep => _window.Count == 0 ? null : Seconds / _window.Count;
}
