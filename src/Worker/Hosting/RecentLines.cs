using Convoy.Shared.Diagnostics;
using Convoy.Shared.Threading;

namespace Convoy.Worker.Hosting;

/// <summary>The last lines of the log: they travel with the report of a failure (R3).</summary>
internal sealed class RecentLines : ILogSink
{
    private const int LinesMax = 40;
    private readonly OrderedLock _gate = new("the latest lines", LockRank.Leaf);
    private readonly Queue<string> _lines = new();

    public void Write(LogLevel level, string source, string text, Exception? exception = null)
    {
        using (_gate.Enter())
        {
            _lines.Enqueue($"{level} {source}: {text}{(exception is null ? "" : $" ({exception.Message})")}");
            if (_lines.Count > LinesMax) _lines.Dequeue();
        }
    }

    public string Text()
    {
        using (_gate.Enter()) return string.Join('\n', _lines);
    }
}
