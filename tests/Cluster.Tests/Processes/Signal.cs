using System.Runtime.InteropServices;

namespace Convoy.Cluster.Tests.Processes;

/// <summary>Signals that .NET's own Process class does not send.</summary>
internal static partial class Signal
{
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;

    public static void Terminate(int pid) => Send(pid, SigTerm);

    public static void Kill9(int pid) => Send(pid, SigKill);

    public static void Stop(int pid) => Send(pid, SigStop);

    public static void Continue(int pid) => Send(pid, SigCont);

    /// <summary>Zombies count as gone: they hold nothing.</summary>
    public static bool Alive(int pid) => State(pid) is not (null or 'Z');

    /// <summary>All its threads have taken the signal; elsewhere than on Linux that cannot be seen.</summary>
    public static bool IsStopped(int pid) => !OperatingSystem.IsLinux() || State(pid) == 'T';

    /// <summary>As in /proc; null: there is no such process.</summary>
    private static char? State(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void Send(int pid, int signal)
    {
        if (NativeKill(pid, signal) != 0) throw new InvalidOperationException($"signal {signal} to {pid} failed");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int NativeKill(int pid, int signal);
}
