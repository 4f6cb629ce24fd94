using System.Globalization;
using System.Runtime.CompilerServices;
using Convoy.Shared.Diagnostics;

namespace Convoy.Actors;

/// <summary>
/// Ends a process in named phases, one after another: first it takes nothing new, then it finishes what it has, leaves
/// the cluster, and its actors end. The tasks of a phase run side by side. A phase that is not done by its deadline is
/// named in the log with the tasks that are late, and the next one begins: an end never hangs (decision 7).
/// </summary>
public sealed class CoordinatedShutdown
{
    public const string PhaseServiceUnbind = "service-unbind";
    public const string PhaseServiceRequestsDone = "service-requests-done";
    public const string PhaseClusterLeave = "cluster-leave";
    public const string PhaseBeforeActorSystemTerminate = "before-actor-system-terminate";
    public const string PhaseActorSystemTerminate = "actor-system-terminate";

    private static readonly string[] Phases =
    [
        PhaseServiceUnbind, PhaseServiceRequestsDone, PhaseClusterLeave, PhaseBeforeActorSystemTerminate, PhaseActorSystemTerminate,
    ];

    private static readonly ConditionalWeakTable<ActorSystem, CoordinatedShutdown> All = [];

    private readonly ActorSystem _system;
    private readonly Lock _lock = new();
    private readonly List<(string Phase, string Name, Func<Task> Task)> _tasks = [];
    private readonly Dictionary<string, TimeSpan> _deadlines =
        Phases.ToDictionary(p => p, _ => DefaultDeadline, StringComparer.Ordinal);
    private Task? _run;

    private CoordinatedShutdown(ActorSystem system) => _system = system;

    /// <summary>Of each phase until it is set: 5 seconds.</summary>
    public static TimeSpan DefaultDeadline { get; } = TimeSpan.FromSeconds(5);

    /// <summary>The one of this system.</summary>
    public static CoordinatedShutdown Get(ActorSystem system) => All.GetValue(system, static s => new CoordinatedShutdown(s));

    public void SetDeadline(string phase, TimeSpan deadline)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadline, TimeSpan.Zero);
        lock (_lock) _deadlines[Known(phase)] = deadline;
    }

    /// <param name="phase">One of the phases of this class.</param>
    /// <param name="taskName">For the log line when it is late.</param>
    /// <param name="task">Started once, when its phase begins.</param>
    public void AddTask(string phase, string taskName, Func<Task> task)
    {
        lock (_lock)
        {
            if (_run is not null) throw new InvalidOperationException($"the shutdown has begun: {taskName} comes too late");
            _tasks.Add((Known(phase), taskName, task));
        }
    }

    /// <summary>Begins the end, or joins the one that has begun. Completes when all phases are over.</summary>
    public Task Run(string reason)
    {
        lock (_lock) return _run ??= RunPhasesAsync(reason);
    }

    private async Task RunPhasesAsync(string reason)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // not under the caller's lock
        _system.Log(LogLevel.Info, "shutdown", $"begins: {reason}", null);
        foreach (var phase in Phases) await RunPhaseAsync(phase).ConfigureAwait(false);
    }

    private async Task RunPhaseAsync(string phase)
    {
        List<(string Name, Task Task)> running;
        TimeSpan deadline;
        lock (_lock)
        {
            running = [.. _tasks.Where(t => t.Phase == phase).Select(t => (t.Name, Started(t.Task)))];
            deadline = _deadlines[phase];
        }

        if (phase == PhaseActorSystemTerminate) running.Add(("actors", _system.Terminate()));
        try
        {
            await Task.WhenAll(running.Select(r => r.Task)).WaitAsync(deadline, _system.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            var late = string.Join(", ", running.Where(r => !r.Task.IsCompleted).Select(r => r.Name));
            var line = string.Create(
                CultureInfo.InvariantCulture, $"{phase} is not done after {deadline.TotalSeconds} s: {late}; going on");
            _system.Log(LogLevel.Warning, "shutdown", line, null);
        }
        catch (Exception failure)
        {
            _system.Log(LogLevel.Error, "shutdown", $"a task of {phase} failed: {failure.Message}; going on", failure);
        }
    }

    private static Task Started(Func<Task> task)
    {
        try
        {
            return task();
        }
        catch (Exception failure)
        {
            return Task.FromException(failure);
        }
    }

    private static string Known(string phase) =>
        Phases.Contains(phase, StringComparer.Ordinal) ? phase : throw new ArgumentException($"there is no phase {phase}", nameof(phase));
}
