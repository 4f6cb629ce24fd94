using Convoy.Shared;
using Convoy.Shared.Random;

namespace Convoy.Autodiff.Execution;

/// <summary>From whom a thread without work takes some.</summary>
public enum VictimSelection
{
    /// <summary>Any thread that has some, by a counter-based generator.</summary>
    Random,
    /// <summary>The one with the most work waiting; the first of equals.</summary>
    MostLoaded,
    /// <summary>The one from whom nothing was taken for the longest time.</summary>
    LeastRecentlyUsed,
    /// <summary>The next one after the last victim of this thread.</summary>
    RoundRobin,
}

/// <summary>Tasks with what they wait for; task i is a number from 0 on.</summary>
/// <param name="Readers">Tasks that wait for each task.</param>
/// <param name="Waiting">How many tasks each one waits for.</param>
/// <param name="Priority">Higher ones first; of equals the lower number.</param>
/// <param name="Cost">Work of each task, in any unit; for balance.</param>
internal sealed record StealingTasks(
    IReadOnlyList<IReadOnlyList<int>> Readers, int[] Waiting, long[] Priority, long[] Cost);

/// <summary>What one thread did.</summary>
/// <param name="Tasks">Tasks that it ran.</param>
/// <param name="Work">Their cost.</param>
/// <param name="Steals">Of them, taken from others.</param>
/// <param name="Idle">How often it found nothing.</param>
public readonly record struct WorkerBalance(long Tasks, long Work, long Steals, long Idle);

/// <summary>How evenly the work fell.</summary>
/// <param name="Workers">Of each thread, summed over all runs.</param>
public sealed record StealingBalance(IReadOnlyList<WorkerBalance> Workers)
{
    /// <summary>The largest share of work over the mean one: 1 is even.</summary>
    public double Imbalance
    {
        get
        {
            var total = Workers.Sum(w => (double)w.Work);
            return total == 0 ? 1 : Workers.Max(w => w.Work) * Workers.Count / total;
        }
    }

    /// <summary>Tasks that another thread took.</summary>
    public long Steals => Workers.Sum(w => w.Steals);
}

/// <summary>
/// Which thread runs which task next (PAR-02): each has a queue of its own, most urgent first. What a finished task
/// makes ready goes to the queue of the thread that finished it, whose caches hold the operands; who has nothing takes
/// the most urgent task of a victim. No lock, clock or thread in here: the same calls give the same answers.
/// WS-1  A task is handed out once, and not before all that it waits for are done.
/// WS-2  A thread gets nothing only while no queue has a task.
/// </summary>
internal sealed class StealingProtocol
{
    private readonly StealingTasks _tasks;
    private readonly VictimSelection _victims;
    private readonly ulong _seed;
    private readonly PriorityQueue<int, (long, int)>[] _queues;
    private readonly int[] _waiting;
    private readonly long[] _load; // cost that waits in each queue
    private readonly long[] _stolenAt; // turn in which each was last a victim
    private readonly int[] _lastVictim;
    private readonly WorkerBalance[] _balance;
    private readonly int[] _runs; // how often each task was handed out: WS-1
    private long _turn;
    private long _draws;

    public StealingProtocol(StealingTasks tasks, int workers, VictimSelection victims, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        (_tasks, _victims, _seed) = (tasks, victims, seed);
        _queues = [.. Enumerable.Range(0, workers).Select(_ => new PriorityQueue<int, (long, int)>())];
        (_waiting, Left) = ([.. tasks.Waiting], tasks.Waiting.Length);
        (_load, _stolenAt, _lastVictim) = (new long[workers], new long[workers], new int[workers]);
        (_balance, _runs) = (new WorkerBalance[workers], new int[tasks.Waiting.Length]);
        for (var i = 0; i < workers; i++) _lastVictim[i] = i;
        foreach (var task in Enumerable.Range(0, _waiting.Length).Where(t => _waiting[t] == 0)
            .OrderByDescending(t => tasks.Cost[t]).ThenBy(t => t))
            Add(Array.IndexOf(_load, _load.Min()), task);
    }

    /// <summary>Tasks that were not handed out yet.</summary>
    public int Left { get; private set; }

    /// <summary>What each thread did so far.</summary>
    public IReadOnlyList<WorkerBalance> Balance => _balance;

    /// <summary>The next task of a thread; null: there is none now, or none at all (<see cref="Left"/> is 0).</summary>
    public int? Take(int worker)
    {
        var from = _queues[worker].Count > 0 ? worker : Victim(worker);
        ref var mine = ref _balance[worker];
        if (from < 0)
        {
            mine = mine with { Idle = mine.Idle + 1 };
            return null;
        }

        _turn++;
        if (from != worker) (_stolenAt[from], _lastVictim[worker]) = (_turn, from);
        var task = _queues[from].Dequeue();
        Invariant.Check(_runs[task]++ == 0 && _waiting[task] == 0, "WS-1 a task is handed out once, when it is ready");
        var cost = Math.Max(1, _tasks.Cost[task]);
        _load[from] -= cost;
        Left--;
        mine = mine with
        {
            Tasks = mine.Tasks + 1,
            Work = mine.Work + cost,
            Steals = mine.Steals + (from == worker ? 0 : 1),
        };
        return task;
    }

    /// <summary>A task has ended. True: others became ready.</summary>
    public bool Done(int worker, int task)
    {
        var any = false;
        foreach (var reader in _tasks.Readers[task])
        {
            if (--_waiting[reader] > 0) continue;
            Add(worker, reader);
            any = true;
        }

        return any;
    }

    private void Add(int worker, int task)
    {
        _queues[worker].Enqueue(task, (-_tasks.Priority[task], task));
        _load[worker] += Math.Max(1, _tasks.Cost[task]);
    }

    private int Victim(int worker)
    {
        Span<int> loaded = stackalloc int[_queues.Length];
        var count = 0;
        // Counted from the thread that was robbed last: each policy but round-robin looks at all of them anyway.
        for (var i = 1; i <= _queues.Length; i++)
        {
            var other = (_lastVictim[worker] + i) % _queues.Length;
            if (other != worker && _queues[other].Count > 0) loaded[count++] = other;
        }

        if (count == 0) return -1;
        loaded = loaded[..count];
        switch (_victims)
        {
            case VictimSelection.RoundRobin: return loaded[0];
            case VictimSelection.Random:
                loaded.Sort();
                return loaded[(int)(new RandomStream(_seed, RandomPurpose.Mask, 0).Word(_draws++) % (uint)count)];
            default:
                loaded.Sort();
                var best = loaded[0];
                foreach (var other in loaded[1..])
                {
                    if (_victims == VictimSelection.MostLoaded ? _load[other] > _load[best]
                        : _stolenAt[other] < _stolenAt[best]) best = other;
                }

                return best;
        }
    }
}
