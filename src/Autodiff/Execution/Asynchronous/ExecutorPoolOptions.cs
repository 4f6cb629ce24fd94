namespace Convoy.Autodiff.Execution.Asynchronous;

/// <summary>How a pool runs what is submitted to it.</summary>
public sealed record ExecutorPoolOptions
{
    /// <summary>Executors that the pool makes itself, each on a thread of its own, from 1; 1.</summary>
    public int Executors { get; init; } = 1;

    /// <summary>Threads of the team of each executor, from 1; 1.</summary>
    public int ThreadsEach { get; init; } = 1;

    /// <summary>Runs that may wait; a further one is refused, or waits outside; 1,024.</summary>
    public int WaitingMax { get; init; } = 1_024;

    /// <summary>From submission to outputs; a run that takes longer has failed; 10 min.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How the executors that the pool makes run a graph.</summary>
    public ExecutorOptions Execution { get; init; } = new();

    /// <summary>The clock of deadlines and of the loads.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What one executor of a pool did.</summary>
/// <param name="Runs">Runs that it began.</param>
/// <param name="Busy">Time that it spent in them.</param>
public sealed record ExecutorLoad(long Runs, TimeSpan Busy);

/// <summary>What a pool did. Submitted = done + failed + cancelled + waiting + running.</summary>
/// <param name="Submitted">Runs that were accepted.</param>
/// <param name="Done">Runs with outputs.</param>
/// <param name="Failed">Runs that threw or were too late.</param>
/// <param name="Cancelled">Runs that were cancelled.</param>
/// <param name="Waiting">Runs in the queue.</param>
/// <param name="Running">Runs on executors.</param>
/// <param name="Loads">Each executor.</param>
public sealed record ExecutorPoolStatistics(
    long Submitted, long Done, long Failed, long Cancelled, int Waiting, int Running, IReadOnlyList<ExecutorLoad> Loads)
{
    /// <summary>Time of the busiest executor over the mean of all; 1 is even.</summary>
    public double Imbalance
    {
        get
        {
            var mean = Loads.Average(l => l.Busy.TotalSeconds);
            return mean == 0 ? 1 : Loads.Max(l => l.Busy.TotalSeconds) / mean;
        }
    }
}
