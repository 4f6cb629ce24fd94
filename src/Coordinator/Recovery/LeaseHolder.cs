using System.Globalization;

namespace Convoy.Coordinator.Recovery;

/// <summary>Names a process in the lease, so that another one of its machine can see that it is gone.</summary>
internal static class LeaseHolder
{
    private const string PidWord = " pid ";

    public static string Name => string.Create(CultureInfo.InvariantCulture,
        $"{Environment.MachineName}{PidWord}{Environment.ProcessId}");

    /// <summary>
    /// True only for a process of this machine that does not exist any more; of any other the lease has to expire.
    /// </summary>
    public static bool IsGone(string holder)
    {
        var at = holder.LastIndexOf(PidWord, StringComparison.Ordinal);
        return at >= 0
            && int.TryParse(holder.AsSpan(at + PidWord.Length), NumberStyles.None, CultureInfo.InvariantCulture,
                out var pid)
            && (holder == Name // an earlier host of this process
                || ProcessPresence.IsGone(holder[..at], pid));
    }
}
