namespace Convoy.Shared.Diagnostics;

public enum LogLevel
{
    Debug,
    Info,
    Warning,
    Error,
}

/// <summary>
/// Where log lines go. Called from any thread, also from actor handlers: it must be quick and must not throw.
/// </summary>
public interface ILogSink
{
    /// <param name="level">How bad it is.</param>
    /// <param name="source">Who speaks: an actor path, a lane, a file.</param>
    /// <param name="text">One line: what happened, with names and numbers.</param>
    /// <param name="exception">The cause, when there is one.</param>
    void Write(LogLevel level, string source, string text, Exception? exception = null);
}

/// <summary>Keeps nothing.</summary>
public sealed class NullLogSink : ILogSink
{
    public static readonly NullLogSink Instance = new();

    public void Write(LogLevel level, string source, string text, Exception? exception = null)
    {
    }
}
