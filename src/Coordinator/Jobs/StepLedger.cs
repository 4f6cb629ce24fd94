using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Jobs;

// Every member reports every step; the first report of a step is kept, so each step has exactly one row, in order (S5).
// Later reports only have to agree (M6). Reports of one worker come in order, but its first ones may be lost with it: a
// row ahead of its turn waits until somebody else fills the gap.
internal sealed class StepLedger(StepNumber last)
{
    private const int RememberedMax = 4_096;
    /// <summary>More than a worker keeps: all that it did while nobody led may come before the row that was lost with
    /// the leader before.</summary>
    private const int WaitingMax = 131_072;

    private readonly Queue<(long Step, ulong Fingerprint)> _remembered = new();
    private readonly SortedDictionary<long, StepRow> _waiting = [];

    /// <summary>Last step that has its row.</summary>
    public StepNumber Last { get; private set; } = last;

    /// <summary>Steps whose rows nobody can report any more; they stay without.</summary>
    public long Lost { get; private set; }

    /// <summary>The newest step of the first gap that rows wait behind; null: none waits.</summary>
    public StepNumber? Gap => _waiting.Count == 0 ? null : new StepNumber(FirstWaiting - 1);

    private long FirstWaiting => _waiting.First().Key;

    /// <summary>Rows that are due now, oldest first. Contradiction: two members disagree about a step.</summary>
    public List<StepRow> Offer(StepRow row, out string? contradiction)
    {
        contradiction = null;
        if (row.Step <= Last.Value || _waiting.ContainsKey(row.Step))
        {
            contradiction = Compare(row);
            return [];
        }

        _waiting.Add(row.Step, row);
        if (_waiting.Count > WaitingMax) SkipGap();
        return TakeDue();
    }

    /// <summary>
    /// Every member has this state, and who knew rows up to it has told them: what is missing does not come, whether or
    /// not rows wait behind it.
    /// </summary>
    public List<StepRow> EndGapsUpTo(StepNumber step)
    {
        var due = new List<StepRow>();
        while (_waiting.Count > 0 && FirstWaiting <= step.Value)
        {
            SkipGap();
            due.AddRange(TakeDue());
        }

        if (Last >= step) return due;
        Lost += step.Value - Last.Value;
        Last = step;
        due.AddRange(TakeDue());
        return due;
    }

    private void SkipGap()
    {
        Lost += FirstWaiting - Last.Value - 1;
        Last = new StepNumber(FirstWaiting - 1);
    }

    private List<StepRow> TakeDue()
    {
        var due = new List<StepRow>();
        while (_waiting.Remove(Last.Value + 1, out var row))
        {
            Last = new StepNumber(row.Step);
            _remembered.Enqueue((row.Step, row.Fingerprint));
            if (_remembered.Count > RememberedMax) _remembered.Dequeue();
            due.Add(row);
        }

        return due;
    }

    private string? Compare(StepRow row)
    {
        var known = _waiting.TryGetValue(row.Step, out var waiting) ? waiting.Fingerprint : Remembered(row.Step);
        return known is { } fingerprint && fingerprint != row.Fingerprint
            ? $"members disagree about step {row.Step}: fingerprints {new Fingerprint(fingerprint)} and "
              + $"{new Fingerprint(row.Fingerprint)} (silent corruption, or different builds or data)"
            : null;
    }

    private ulong? Remembered(long step)
    {
        foreach (var (known, fingerprint) in _remembered)
            if (known == step) return fingerprint;
        return null;
    }
}
