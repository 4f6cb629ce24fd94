using Convoy.Shared.Diagnostics;

namespace Convoy.Worker.Hosting;

/// <summary>The last lines of the log: they travel with the report of a failure (R3).</summary>
internal sealed class RecentLines : ILogSink
{
    private const int LinesMax = 40;
    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();

    public void Write(LogLevel level, string source, string text, Exception? exception = null)
    {
        lock (_gate)
        {
            _lines.Enqueue($"{level} {source}: {text}{(exception is null ? "" : $" ({exception.Message})")}");
            if (_lines.Count > LinesMax) _lines.Dequeue();
        }
    }

    public string Text()
    {
        lock (_gate) return string.Join('\n', _lines);
    }
}
