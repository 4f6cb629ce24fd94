using System.Runtime.CompilerServices;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Execution.Asynchronous;

/// <summary>Where a submitted run is.</summary>
public enum ExecutionStatus
{
    /// <summary>In the queue.</summary>
    Waiting,
    /// <summary>On an executor.</summary>
    Running,
    /// <summary>It has its outputs.</summary>
    Done,
    /// <summary>It threw, or had no outputs within its deadline.</summary>
    Failed,
    /// <summary>Cancelled before it had its outputs.</summary>
    Cancelled,
}

/// <summary>One submitted run: awaited for its outputs, or cancelled. Safe to use from any thread.</summary>
public sealed class ExecutionHandle
{
    private readonly TaskCompletionSource<IReadOnlyDictionary<string, Tensor>> _result =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop;
    private readonly Action<ExecutionHandle> _ended;
    private int _status;

    internal ExecutionHandle(
        long number, int priority, IReadOnlyDictionary<string, Tensor> bindings, TimeSpan deadline, TimeProvider time,
        Action<ExecutionHandle> ended)
    {
        (Number, Priority, Bindings, Deadline, _ended) = (number, priority, bindings, deadline, ended);
        _stop = new CancellationTokenSource(deadline, time);
        _stop.Token.Register(Expire); // its own end cancels it too, which ends the timer
    }

    /// <summary>Submissions to the pool are numbered from 0.</summary>
    public long Number { get; }

    /// <summary>Higher goes first; of the same, the one submitted first.</summary>
    public int Priority { get; }

    /// <summary>Where it is now.</summary>
    public ExecutionStatus Status => (ExecutionStatus)Volatile.Read(ref _status);

    /// <summary>The outputs by name; or what the run threw, a <see cref="TimeoutException"/>, or that it was
    /// cancelled.</summary>
    public Task<IReadOnlyDictionary<string, Tensor>> Result => _result.Task;

    internal IReadOnlyDictionary<string, Tensor> Bindings { get; }
    internal TimeSpan Deadline { get; }
    internal CancellationToken Stop => _stop.Token;

    /// <summary>Awaits the outputs.</summary>
    public TaskAwaiter<IReadOnlyDictionary<string, Tensor>> GetAwaiter() => Result.GetAwaiter();

    /// <summary>
    /// A run that waits is taken out of the queue; one under way ends between two nodes, and its executor goes on with
    /// the next. False: it has ended already.
    /// </summary>
    public bool Cancel() => End(ExecutionStatus.Cancelled, _result.SetCanceled);

    internal bool TryBegin() =>
        Interlocked.CompareExchange(ref _status, (int)ExecutionStatus.Running, (int)ExecutionStatus.Waiting)
        == (int)ExecutionStatus.Waiting;

    internal void Complete(IReadOnlyDictionary<string, Tensor> outputs) =>
        End(ExecutionStatus.Done, () => _result.SetResult(outputs));

    internal void Fail(Exception why) => End(ExecutionStatus.Failed, () => _result.SetException(why));

    private void Expire() => Fail(new TimeoutException(
        $"run {Number} of the executor pool has no outputs after {Deadline.TotalSeconds:0.###} s"));

    // Whoever ends it first says how; the status is right before anybody who awaits goes on.
    private bool End(ExecutionStatus status, Action tell)
    {
        int was;
        do
        {
            was = Volatile.Read(ref _status);
            if (was >= (int)ExecutionStatus.Done) return false;
        }
        while (Interlocked.CompareExchange(ref _status, (int)status, was) != was);
        _ended(this);
        _stop.Cancel();
        tell();
        return true;
    }
}
