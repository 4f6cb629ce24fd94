using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

/// <summary>
/// Rows that were told to a coordinator, newest last: its successor may ask for them again (S5). Bounded; what is older
/// was durable long ago, or has no row.
/// </summary>
internal sealed class RowHistory
{
    public const int RowsMax = 8_192;

    private readonly Queue<StepReport> _reports = new();
    private int _rows;

    public void Add(StepReport report)
    {
        _reports.Enqueue(report);
        _rows += report.Rows.Count;
        while (_rows > RowsMax && _reports.Count > 1) _rows -= _reports.Dequeue().Rows.Count;
    }

    /// <summary>Steps after this one are done again.</summary>
    public void ForgetAfter(long step)
    {
        for (var left = _reports.Count; left > 0; left--)
        {
            var report = _reports.Dequeue();
            _rows -= report.Rows.Count;
            if (report.Rows[^1].Step > step) report = Cut(report, row => row.Step <= step);
            if (report.Rows.Count == 0) continue;
            _reports.Enqueue(report);
            _rows += report.Rows.Count;
        }
    }

    /// <summary>Reports of the steps after this one, oldest first.</summary>
    public IReadOnlyList<StepReport> After(long step) =>
        [.. _reports.Where(r => r.Rows[^1].Step > step).Select(r => Cut(r, row => row.Step > step))];

    // A report that was told may still be on its way: it is never changed.
    private static StepReport Cut(StepReport report, Func<StepRow, bool> keeps)
    {
        var cut = new StepReport { Generation = report.Generation };
        cut.Rows.AddRange(report.Rows.Where(keeps));
        return cut;
    }
}
