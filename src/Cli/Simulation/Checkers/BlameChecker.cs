using Convoy.Coordinator.Api;
using Convoy.Shared.Ids;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// Every report of a death names the right worker (R3): one whose process, machine or wires had something.
/// </summary>
internal sealed class BlameChecker : Checker
{
    /// <summary>How long after a fault its consequences may be blamed on its victim.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(20);

    private readonly SortedDictionary<string, TimeSpan> _excused = new(StringComparer.Ordinal); // until when
    private readonly SortedDictionary<int, string> _names = [];
    private TimeSpan _allExcusedUntil;
    private string _judged = "";

    public override void OnFault(Fault fault, string what)
    {
        var until = Now + fault.Duration + Aftermath;
        if (fault.Kind is FaultKind.LeaderKill or FaultKind.LeaderStop or FaultKind.Usurp or FaultKind.Scale
            or FaultKind.Loss or FaultKind.End
            or FaultKind.DiskCrash or FaultKind.DiskFull or FaultKind.DiskSlow)
            _allExcusedUntil = Later(_allExcusedUntil, until);
        foreach (var host in Cluster.VictimsOf(fault)) Excuse(host, until);
    }

    public override void OnProcessEnded(string host, string why) => Excuse(host, Now + Aftermath);

    public override void OnProcessStarted(string host, Incarnation incarnation) => Excuse(host, Now + Aftermath);

    public override void OnCame(string host, Incarnation incarnation) => Excuse(host, Now + Aftermath);

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (type == "worker_registered") _names[(int)record.Number("worker")] = record.Text("name");
        if (type != "fencing_started") return;
        foreach (var id in record.Numbers("lost"))
        {
            var host = _names[id];
            Check(IsExcused(host),
                $"{host} is reported lost ({record.Text("reason")}), but nothing has happened to it");
        }
    }

    // What a job cannot get over is its cause for as long as it tries: it is judged when it is named.
    public override void OnLook() => Judge(Job.Status?.RootCause);

    public override void OnJobOver(StatusReport report) => Judge(report.RootCause);

    private void Judge(RootCause? cause)
    {
        if (cause is not { Worker.Length: > 0 } || cause.Worker + cause.Text == _judged) return;
        _judged = cause.Worker + cause.Text;
        Check(IsExcused(cause.Worker),
            $"{cause.Worker} is named as the cause ({cause.Text}), but nothing has happened to it");
    }

    private bool IsExcused(string host) => Now <= _allExcusedUntil
        || (_excused.TryGetValue(host, out var until) && Now <= until);

    private void Excuse(string host, TimeSpan until) => _excused[host] = Later(until, _excused.GetValueOrDefault(host));

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
