using System.Globalization;

namespace Convoy.Cli.Launch;

/// <summary>
/// Ends this process when the <c>dotnet run</c> that started it is gone (R22). Whoever kills that process with
/// signal 9 means the training; without this the launcher would go on unseen. Only a parent that is <c>dotnet … run</c>
/// is watched: a shell, a service manager or nohup may leave on purpose. Linux has /proc; elsewhere nothing is watched,
/// and there the terminal's signals reach the launcher itself.
/// </summary>
internal static class ParentWatch
{
    // One file of /proc: a few microseconds. What is left of the 2 s is for processes of a busy machine to end in.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Completes when the parent is gone; never, where there is nothing to watch.</summary>
    public static async Task GoneAsync(TimeProvider time, CancellationToken cancel)
    {
        var parent = ParentOf("self");
        if (parent <= 1 || !IsDotnetRun(parent)) await Task.Delay(Timeout.InfiniteTimeSpan, time, cancel);
        while (ParentOf("self") == parent) await Task.Delay(Interval, time, cancel);
    }

    private static int ParentOf(string process)
    {
        // Field 4 of stat; field 2 is the name in parentheses and may itself hold blanks and parentheses.
        var stat = Read($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 && int.TryParse(fields[1], CultureInfo.InvariantCulture, out var pid) ? pid : 0;
    }

    private static bool IsDotnetRun(int pid)
    {
        var words = Read($"/proc/{pid}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 1
            && Path.GetFileNameWithoutExtension(words[0]) == "dotnet"
            && words.Skip(1).Take(2).Contains("run", StringComparer.Ordinal);
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return ""; // No /proc here, or the process has gone: nothing to read is the answer.
        }
    }
}
