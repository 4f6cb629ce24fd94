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
    public static bool IsGone(string holder) =>
        Parse(holder) is { } at && (holder == Name // an earlier host of this process
            || ProcessPresence.IsGone(at.Host, at.Pid));

    /// <summary>
    /// Ends a process of this machine whose lease is over and that may be who locks the journal: nothing of it could
    /// have an effect any more. False: it is elsewhere, this process itself, may not be ended, or has no lock.
    /// </summary>
    /// <param name="holder">As in the lease.</param>
    /// <param name="seen">It had the lease then: a process of its number that began later is another one.</param>
    public static bool TryEnd(string holder, DateTimeOffset seen) =>
        holder != Name && Parse(holder) is { } at && JournalWriter.Is(at.Pid) != false
        && ProcessPresence.TryEnd(at.Host, at.Pid, seen);

    private static (string Host, int Pid)? Parse(string holder)
    {
        var at = holder.LastIndexOf(PidWord, StringComparison.Ordinal);
        return at >= 0 && int.TryParse(holder.AsSpan(at + PidWord.Length), NumberStyles.None,
            CultureInfo.InvariantCulture, out var pid) ? (holder[..at], pid) : null;
    }
}
