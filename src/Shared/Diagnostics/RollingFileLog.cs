using Convoy.Shared.Threading;
using System.Globalization;
using System.Text;

namespace Convoy.Shared.Diagnostics;

/// <summary>
/// Lines in a file of bounded size: <c>name.log</c>, and the one before it as <c>name.log.1</c> and so on. A line is
/// <c>2026-01-31T10:20:30.456Z warning source: text</c>; an exception follows indented. Every line reaches the
/// operating system at once, so it survives the death of the process. A log that cannot be written never stops what it
/// tells of.
/// </summary>
public sealed class RollingFileLog : ILogSink, IDisposable
{
    private readonly OrderedLock _lock = new("a log file", LockRank.Leaf);
    private readonly TimeProvider _time;
    private readonly string _path;
    private readonly long _bytesMax;
    private readonly int _filesMax;
    private FileStream? _stream;
    private bool _closed;

    /// <param name="path">The file; its folder is created.</param>
    /// <param name="time">Clock of the lines.</param>
    /// <param name="bytesMax">Size at which a new file is begun.</param>
    /// <param name="filesMax">Files that are kept, the current one included.</param>
    public RollingFileLog(string path, TimeProvider time, long bytesMax = 16 << 20, int filesMax = 4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(filesMax, 1);
        (_path, _time, _bytesMax, _filesMax) = (Path.GetFullPath(path), time, bytesMax, filesMax);
        _stream = TryOpen();
    }

    /// <summary>Lines that could not be written.</summary>
    public long Lost { get; private set; }

    public void Write(LogLevel level, string source, string text, Exception? exception = null)
    {
        var line = Encoding.UTF8.GetBytes(Format(_time.GetUtcNow(), level, source, text, exception));
        using (_lock.Enter())
        {
            if (_closed) return;
            try
            {
                _stream ??= TryOpen();
                if (_stream?.Length > 0 && _stream.Length + line.Length > _bytesMax) Roll();
                // Without a buffer: what a full disk refused must not come again at the next line, or at the end.
                if (_stream is null) Lost++;
                else _stream.Write(line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A full disk or a vanished folder: count it and go on.
                Lost++;
            }
        }
    }

    public void Dispose()
    {
        using (_lock.Enter())
        {
            _closed = true;
            _stream?.Dispose();
            _stream = null;
        }
    }

    internal static string Format(DateTimeOffset utc, LogLevel level, string source, string text, Exception? exception)
    {
        var line = new StringBuilder();
        line.Append(utc.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
        line.Append(' ').Append(level switch
        {
            LogLevel.Debug => "debug",
            LogLevel.Info => "info",
            LogLevel.Warning => "warning",
            _ => "error",
        });
        // One event is one line: a text from outside must not be able to fake another.
        line.Append(' ').Append(source).Append(": ").Append(text.ReplaceLineEndings(" ")).Append('\n');
        if (exception is not null)
            foreach (var detail in exception.ToString().Split('\n'))
                line.Append("    ").Append(detail.TrimEnd('\r')).Append('\n');
        return line.ToString();
    }

    private void Roll()
    {
        _stream!.Dispose();
        _stream = null;
        for (var i = _filesMax - 1; i >= 1; i--)
        {
            var from = i == 1 ? _path : $"{_path}.{i - 1}";
            if (File.Exists(from)) File.Move(from, $"{_path}.{i}", overwrite: true);
        }

        if (_filesMax == 1) File.Delete(_path);
        _stream = TryOpen();
    }

    private FileStream? TryOpen()
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            return new FileStream(
                _path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
