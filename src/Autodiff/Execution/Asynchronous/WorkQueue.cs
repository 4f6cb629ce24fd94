namespace Convoy.Autodiff.Execution.Asynchronous;

/// <summary>
/// Runs that wait, the most urgent first and of the same urgency the oldest. Pure: no thread, no clock, no lock.
/// </summary>
internal sealed class WorkQueue
{
    private readonly SortedDictionary<(int Urgency, long Number), ExecutionHandle> _waiting = [];

    public int Count => _waiting.Count;

    public void Add(ExecutionHandle run) => _waiting.Add(KeyOf(run), run);

    /// <summary>Null: nothing waits.</summary>
    public ExecutionHandle? Take()
    {
        foreach (var (key, run) in _waiting)
        {
            _waiting.Remove(key);
            return run;
        }

        return null;
    }

    /// <summary>False: it does not wait here.</summary>
    public bool Remove(ExecutionHandle run) => _waiting.Remove(KeyOf(run));

    private static (int Urgency, long Number) KeyOf(ExecutionHandle run) => (~run.Priority, run.Number);
}
