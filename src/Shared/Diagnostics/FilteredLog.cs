namespace Convoy.Shared.Diagnostics;

/// <summary>Passes on what is at least as bad as a level.</summary>
public sealed class FilteredLog(ILogSink inner, LogLevel lowest) : ILogSink
{
    public void Write(LogLevel level, string source, string text, Exception? exception = null)
    {
        if (level >= lowest) inner.Write(level, source, text, exception);
    }
}

/// <summary>Passes everything on to several logs.</summary>
public sealed class TeeLog(params IReadOnlyList<ILogSink> logs) : ILogSink
{
    public void Write(LogLevel level, string source, string text, Exception? exception = null)
    {
        foreach (var log in logs) log.Write(level, source, text, exception);
    }
}
