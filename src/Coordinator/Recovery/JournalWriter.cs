using System.Globalization;

namespace Convoy.Coordinator.Recovery;

/// <summary>
/// Which process holds the write lock of a journal, where the system tells: Linux does, in /proc/locks.
/// </summary>
internal static class JournalWriter
{
    private const string Locks = "/proc/locks";

    // The lock of who writes is one byte of the index beside the log (SQLite, "WAL-mode File Format", 2.3.2).
    private const string WriteLock = "120";

    /// <summary>Null: the system does not tell.</summary>
    /// <param name="pid">A process of this machine that has one journal open.</param>
    public static bool? Is(int pid)
    {
        try
        {
            return OperatingSystem.IsLinux() ? Is(pid, File.ReadLines(Locks)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Lines such as "6: POSIX  ADVISORY  WRITE 23356 00:27:55517 120 120"; one that waits has a "->".</summary>
    internal static bool Is(int pid, IEnumerable<string> locks)
    {
        var number = pid.ToString(CultureInfo.InvariantCulture);
        return locks.Any(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is
            [_, "POSIX", _, "WRITE", var holder, _, WriteLock, WriteLock] && holder == number);
    }
}
