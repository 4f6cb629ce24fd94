using System.ComponentModel;
using System.Diagnostics;

namespace Convoy.Coordinator.Recovery;

/// <summary>
/// Whether a process that left its number somewhere still exists; the same on Linux, macOS and Windows.
/// </summary>
internal static class ProcessPresence
{
    /// <summary>Clocks that were set meanwhile, and start times that are kept in coarse ticks.</summary>
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(2);

    /// <summary>
    /// True only when it is certain: of another machine, or where the system does not tell, it counts as there.
    /// </summary>
    /// <param name="host">Its machine.</param>
    /// <param name="pid">Its number there.</param>
    /// <param name="seen">It existed then: a process of this number that began later is another one. Null: not
    /// known.</param>
    public static bool IsGone(string host, int pid, DateTimeOffset? seen = null)
    {
        if (host != Environment.MachineName) return false;
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.HasExited || (seen is { } at && BeganAfter(process, at));
        }
        catch (ArgumentException)
        {
            return true; // there is no such process
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or NotSupportedException)
        {
            return false; // it cannot be told
        }
    }

    /// <summary>Kills a process of this machine, be it stopped; false where that cannot be done.</summary>
    /// <param name="host">Its machine.</param>
    /// <param name="pid">Its number there.</param>
    /// <param name="seen">It existed then.</param>
    public static bool TryEnd(string host, int pid, DateTimeOffset seen)
    {
        if (host != Environment.MachineName) return false;
        try
        {
            using var process = Process.GetProcessById(pid);
            if (process.HasExited || BeganAfter(process, seen)) return false;
            process.Kill();
            return true;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception
            or NotSupportedException)
        {
            return false;
        }
    }

    private static bool BeganAfter(Process process, DateTimeOffset seen) =>
        process.StartTime.ToUniversalTime() > seen.UtcDateTime + Doubt;
}
