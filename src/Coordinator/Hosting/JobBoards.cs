using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Shared.Threading;
using Convoy.Shared;

namespace Convoy.Coordinator.Hosting;

/// <summary>
/// What status shows of all jobs: the boards of the walls, and which of them have a job. Readers never wait for a
/// mailbox. The first wall is always there. Thread-safe.
/// </summary>
internal sealed class JobBoards(StatusBoard first, MetricsFile metrics)
{
    /// <summary>Jobs beside the first one that are shown; the oldest that are over go first.</summary>
    private const int OthersMax = 64;

    private readonly OrderedLock _lock = new("the boards of all jobs", LockRank.Service);
    private readonly List<(string Name, StatusBoard Board, MetricsFile Metrics)> _others = [];

    /// <summary>False: so many jobs wait and run that no more are taken.</summary>
    public bool TryAdd(string name, StatusBoard board, MetricsFile metrics)
    {
        using (_lock.Enter())
        {
            // A job of the same name is over, or it would not have been taken.
            _others.RemoveAll(o => string.Equals(o.Name, name, StringComparison.Ordinal));
            while (_others.Count >= OthersMax && _others.FindIndex(o => !IsLive(o.Board.Read())) is >= 0 and var over)
                _others.RemoveAt(over);
            if (_others.Count >= OthersMax) return false;
            _others.Add((name, board, metrics));
            return true;
        }
    }

    /// <summary>The first wall has a job that is not over.</summary>
    public bool FirstIsBusy => IsLive(first.Read());

    /// <summary>The id of the job of this name that runs or waits; null: none does.</summary>
    public string? LiveId(string name)
    {
        using (_lock.Enter())
        {
            return All().Select(b => b.Board.Read())
                .FirstOrDefault(r => IsLive(r) && string.Equals(r.Job, name, StringComparison.Ordinal))?.JobId;
        }
    }

    /// <summary>The report of the job beside the first one that has this name; null: there is none.</summary>
    public StatusReport? Beside(string name)
    {
        using (_lock.Enter())
            return _others.Find(o => string.Equals(o.Name, name, StringComparison.Ordinal)).Board?.Read();
    }

    /// <summary>The report of a job by name or id; null: the first that is not over, or the first wall's.</summary>
    public StatusReport Read(string? job)
    {
        using (_lock.Enter())
        {
            var reports = All().Select(b => b.Board.Read()).ToList();
            var chosen = job is null ? reports.Find(IsLive) ?? reports[0] : reports[IndexOf(reports, job)];
            return reports.Count == 1 ? chosen
                : chosen with { Jobs = [.. reports.Where(r => r.JobId is not null).Select(Line)] };
        }
    }

    /// <summary>Rows of the job that <see cref="Read"/> shows.</summary>
    public MetricsFile Metrics(string? job)
    {
        using (_lock.Enter())
        {
            var all = All().ToList();
            var reports = all.ConvertAll(b => b.Board.Read());
            var at = job is null ? Math.Max(0, reports.FindIndex(IsLive)) : IndexOf(reports, job);
            return all[at].Metrics;
        }
    }

    private IEnumerable<(StatusBoard Board, MetricsFile Metrics)> All() =>
        _others.Select(o => (o.Board, o.Metrics)).Prepend((first, metrics));

    private static int IndexOf(List<StatusReport> reports, string job)
    {
        var at = reports.FindLastIndex(r => string.Equals(r.JobId, job, StringComparison.Ordinal));
        if (at < 0) at = reports.FindLastIndex(r => string.Equals(r.Job, job, StringComparison.Ordinal));
        if (at >= 0) return at;
        var known = reports.Where(r => r.Job is not null).Select(r => $"{r.Job} ({r.JobId})").ToList();
        throw new UserException(ExitCode.Usage,
            $"there is no job '{job}' here; " + (known.Count == 0 ? "none was submitted" : string.Join(", ", known)));
    }

    private static bool IsLive(StatusReport report) => report is { JobId: not null, Outcome: null };

    private static JobLine Line(StatusReport r) => new()
    {
        Job = r.Job ?? "", JobId = r.JobId ?? "", State = r.State, Step = r.Step, UntilStep = r.UntilStep,
        Generation = r.Generation, Workers = r.Workers.Count(w => w.Slices.Length > 0), Outcome = r.Outcome,
    };
}
