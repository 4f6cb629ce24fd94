using Convoy.Shared.Threading;

namespace Convoy.Cli.Launch;

/// <summary>What a worker process prints: all of it in a file, the last lines in memory.</summary>
internal sealed class WorkerOutput(Stream file) : IDisposable
{
    private const int LastLinesMax = 50;

    private readonly Queue<string> _lastLines = new();
    private readonly OrderedLock _gate = new("the output of a worker", LockRank.Storage);
    private readonly StreamWriter _log = new(file) { AutoFlush = true };

    /// <summary>A line that the disk does not take is lost to the file only: the launch goes on.</summary>
    public void Keep(string? line)
    {
        if (line is null) return;
        using (_gate.Enter())
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > LastLinesMax) _lastLines.Dequeue();
            Try(() => _log.WriteLine(line));
        }
    }

    public string LastLines()
    {
        using (_gate.Enter()) return string.Join('\n', _lastLines);
    }

    public void Dispose()
    {
        using (_gate.Enter()) Try(_log.Dispose);
    }

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException)
        {
            // A full disk; what has to be written there says so itself.
        }
    }
}
