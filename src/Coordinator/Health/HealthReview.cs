using System.Globalization;
using Convoy.Coordinator.Api;

namespace Convoy.Coordinator.Health;

/// <summary>
/// Judges a run by its status and by the rows of its newest steps. Pure: what it is given is all it knows. Every rule
/// yields one finding, good or bad, so that a report shows what was looked at.
/// </summary>
public static class HealthReview
{
    /// <summary>Rows that are looked at, newest last; older ones say little about now.</summary>
    public const int RowsMax = 400;

    // Below this many rows a trend or a median is chance.
    private const int RowsMin = 40;

    private static readonly HashSet<string> BadStates = new(StringComparer.Ordinal) { "quarantined", "lost" };

    /// <param name="status">How the run stands; null: it has ended and only its rows are left.</param>
    /// <param name="rows">Committed steps, oldest first; only the newest <see cref="RowsMax"/> count.</param>
    public static HealthReport Of(StatusReport? status, IReadOnlyList<StepView> rows)
    {
        var newest = rows.Skip(Math.Max(0, rows.Count - RowsMax)).ToList();
        var findings = new List<HealthFinding>();
        if (status is not null)
        {
            findings.Add(Memory(status.Workers));
            findings.Add(Workers(status.Workers));
            findings.Add(Progress(status));
        }

        if (newest.Count == 0) return new HealthReport(findings);
        findings.Add(NonFinite(newest));
        if (newest.Count < RowsMin) return new HealthReport(findings);
        findings.AddRange([Loss(newest), GradientNorm(newest), Synchronisation(newest), StepTime(newest)]);
        return new HealthReport(findings);
    }

    private static HealthFinding Memory(IReadOnlyList<WorkerView> workers)
    {
        // Workers of one host share its memory.
        var hosts = workers.Where(w => w is { MemoryBytes: > 0, MemoryLimitBytes: > 0 })
            .GroupBy(w => w.Host, StringComparer.Ordinal)
            .Select(host => (host.Key, Share: host.Sum(w => w.MemoryBytes) / (double)host.Max(w => w.MemoryLimitBytes)))
            .OrderByDescending(host => host.Share).ToList();
        if (hosts.Count == 0) return Good("memory", "workers' memory", "not reported yet");
        var found = Text($"{hosts[0].Share:P0} of what host {hosts[0].Key} gives is in use");
        return hosts[0].Share switch
        {
            > 0.9 => new("memory", "workers' memory", 30, found,
                "use fewer workers on that host, a smaller batch, or recompute activations"),
            > 0.75 => new("memory", "workers' memory", 10, found,
                "leave some room: a checkpoint takes a copy of the state"),
            _ => Good("memory", "workers' memory", found),
        };
    }

    private static HealthFinding Workers(IReadOnlyList<WorkerView> workers)
    {
        var bad = workers.Where(w => BadStates.Contains(w.State)).Select(w => $"{w.Name} {w.State}").ToList();
        return bad.Count == 0
            ? Good("cluster", "workers", Text($"{workers.Count} known, none lost or quarantined"))
            : new("cluster", "workers", Math.Min(30, 10 * bad.Count), string.Join(", ", bad),
                "look at their logs (convoy logs) and start them again");
    }

    private static HealthFinding Progress(StatusReport status)
    {
        if (status.RootCause is { } cause)
            return new("cluster", "progress", 60, $"the job failed: {cause.Worker}: {cause.Text}",
                "remove the cause, then go on with --resume");
        return status.Reasons.Count == 0
            ? Good("cluster", "progress", Text($"step {status.Step}, nothing is waited for"))
            : new("cluster", "progress", 15, string.Join("; ", status.Reasons), "bring what it waits for");
    }

    private static HealthFinding NonFinite(List<StepView> rows)
    {
        var bad = rows.Count(r => r.Skipped || !double.IsFinite(r.Loss) || !double.IsFinite(r.GradientNorm));
        var found = Text($"{bad} of the last {rows.Count} steps had an infinite or undefined gradient or loss");
        return bad switch
        {
            0 => Good("gradients", "finite", found),
            _ when bad * 20 < rows.Count =>
                new("gradients", "finite", 10, found, "clip the gradient or lower the rate"),
            _ => new("gradients", "finite", 50, found,
                "lower the learning rate, add warm-up or clip the gradient: most of the work is thrown away"),
        };
    }

    private static HealthFinding Loss(List<StepView> rows)
    {
        var quarter = rows.Count / 4;
        var before = Median(rows.Take(quarter).Select(r => r.Loss));
        var now = Median(rows.Skip(rows.Count - quarter).Select(r => r.Loss));
        var found = Text($"median {before:0.####} at step {rows[0].Step}, {now:0.####} at step {rows[^1].Step}");
        // Relative to its own size, because losses may be negative or near 0.
        return now - before > 0.25 * Math.Max(Math.Abs(before), 1e-6)
            ? new("gradients", "loss", 20, found + ": it rises", "lower the learning rate or go back to a checkpoint")
            : Good("gradients", "loss", found);
    }

    private static HealthFinding GradientNorm(List<StepView> rows)
    {
        var finite = rows.Where(r => double.IsFinite(r.GradientNorm)).Select(r => r.GradientNorm).ToList();
        if (finite.Count == 0) return Good("gradients", "gradient norm", "no finite value to judge");
        var (median, last) = (Median(finite), finite[^1]);
        var found = Text($"last {last:g4}, median {median:g4}");
        if (median < 1e-7)
            return new("gradients", "gradient norm", 15, found + ": it vanishes",
                "check the activations, the initial weights and the loss; a finished training looks the same");
        return last > 20 * median
            ? new("gradients", "gradient norm", 15, found + ": it explodes", "clip the gradient by its global norm")
            : Good("gradients", "gradient norm", found);
    }

    private static HealthFinding Synchronisation(List<StepView> rows)
    {
        double total = rows.Sum(r => r.TotalUs);
        var share = total == 0 ? 0 : rows.Sum(r => r.SyncUs) / total;
        var found = Text($"{share:P0} of a step is waiting for other workers");
        return share switch
        {
            > 0.7 => new("performance", "synchronisation", 20, found, "use fewer workers or a larger batch"),
            > 0.4 => new("performance", "synchronisation", 10, found, "a larger batch or a faster network would pay"),
            _ => Good("performance", "synchronisation", found),
        };
    }

    private static HealthFinding StepTime(List<StepView> rows)
    {
        var times = rows.Select(r => (double)r.TotalUs).Order().ToList();
        var (median, slow) = (times[times.Count / 2], times[times.Count * 99 / 100]);
        var quarter = rows.Count / 4;
        var now = Median(rows.Skip(rows.Count - quarter).Select(r => (double)r.TotalUs));
        var found =
            Text($"median {median / 1000:0.##} ms, 99th percentile {slow / 1000:0.##} ms, now {now / 1000:0.##} ms");
        if (now > 1.5 * median)
            return new("performance", "step time", 10, found + ": it slows down",
                "look for other work on the hosts, heat, or a slower worker that joined");
        return slow > 10 * median
            ? new("performance", "step time", 5, found + ": it jumps", "look for other work on the hosts")
            : Good("performance", "step time", found);
    }

    private static HealthFinding Good(string area, string name, string found) => new(area, name, 0, found, "");

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
