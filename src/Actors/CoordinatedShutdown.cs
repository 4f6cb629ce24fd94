using System.Globalization;
using System.Runtime.CompilerServices;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Threading;

namespace Convoy.Actors;

/// <summary>
/// Ends a process in named phases, one after another: it takes nothing new, finishes what it has, saves, says goodbye
/// on its links, its actors end, and its files are closed. The tasks of a phase run side by side. A phase that is not
/// done by its deadline is named in the log with the tasks that are late, and the next one begins: an end never hangs
/// (decision 7). Who is asked a second time ends at once: nothing is drained or saved any more.
/// </summary>
public sealed class CoordinatedShutdown
{
    public const string PhaseStopTakingWork = "stop-taking-work";
    public const string PhaseDrain = "drain";
    public const string PhaseSave = "save";
    public const string PhaseCloseLanes = "close-lanes";
    public const string PhaseTerminateActors = "terminate-actors";
    public const string PhaseCloseFiles = "close-files";

    private static readonly string[] Phases =
        [PhaseStopTakingWork, PhaseDrain, PhaseSave, PhaseCloseLanes, PhaseTerminateActors, PhaseCloseFiles];

    /// <summary>What is left of a phase once the end has to come at once.</summary>
    private static readonly TimeSpan AtOnceDeadline = TimeSpan.FromSeconds(1);

    private static readonly ConditionalWeakTable<ActorSystem, CoordinatedShutdown> All = [];

    private readonly ActorSystem _system;
    private readonly OrderedLock _lock = new("the shutdown", LockRank.Leaf);
    private readonly CancellationTokenSource _atOnce = new();
    private readonly List<(string Phase, string Name, Func<Task> Task)> _tasks = [];
    private readonly Dictionary<string, TimeSpan> _deadlines =
        Phases.ToDictionary(p => p, _ => DefaultDeadline, StringComparer.Ordinal);
    private Task? _run;

    private CoordinatedShutdown(ActorSystem system) => _system = system;

    /// <summary>Of each phase until it is set: 5 seconds.</summary>
    public static TimeSpan DefaultDeadline { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the end has to come at once: what waits for a save should give up.</summary>
    public CancellationToken AtOnce => _atOnce.Token;

    /// <summary>The one of this system.</summary>
    public static CoordinatedShutdown Get(ActorSystem system) =>
        All.GetValue(system, static s => new CoordinatedShutdown(s));

    public void SetDeadline(string phase, TimeSpan deadline)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadline, TimeSpan.Zero);
        using (_lock.Enter()) _deadlines[Known(phase)] = deadline;
    }

    /// <param name="phase">One of the phases of this class.</param>
    /// <param name="taskName">For the log line when it is late.</param>
    /// <param name="task">Started once, when its phase begins.</param>
    public void AddTask(string phase, string taskName, Func<Task> task)
    {
        using (_lock.Enter())
        {
            if (_run is not null)
                throw new InvalidOperationException($"the shutdown has begun: {taskName} comes too late");
            _tasks.Add((Known(phase), taskName, task));
        }
    }

    /// <summary>Begins the end, or joins the one that has begun. Completes when all phases are over.</summary>
    public Task Run(string reason)
    {
        using (_lock.Enter()) return _run ??= RunPhasesAsync(reason);
    }

    /// <summary>
    /// As <see cref="Run"/>, but drain and save are left out, also if they are under way, and the other phases have a
    /// second each.
    /// </summary>
    public Task RunAtOnce(string reason)
    {
        Task run;
        bool isFirst;
        using (_lock.Enter())
        {
            isFirst = !_atOnce.IsCancellationRequested && _run is not { IsCompleted: true };
            // Not on this thread: whoever waits for a phase goes on from here.
            _ = _atOnce.CancelAsync();
            run = _run ??= RunPhasesAsync(reason);
        }

        if (isFirst) _system.Log(LogLevel.Warning, "shutdown", $"at once: {reason}", null);
        return run;
    }

    private async Task RunPhasesAsync(string reason)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // not under the caller's lock
        _system.Log(LogLevel.Info, "shutdown", $"begins: {reason}", null);
        foreach (var phase in Phases)
        {
            if (phase is PhaseDrain or PhaseSave && AtOnce.IsCancellationRequested)
                _system.Log(LogLevel.Warning, "shutdown", $"{phase} is left out", null);
            else
                await RunPhaseAsync(phase).ConfigureAwait(false);
        }
    }

    private async Task RunPhaseAsync(string phase)
    {
        List<(string Phase, string Name, Func<Task> Task)> tasks;
        TimeSpan deadline;
        var began = _system.Time.GetTimestamp();
        using (_lock.Enter())
        {
            tasks = [.. _tasks.Where(t => t.Phase == phase)];
            deadline = _deadlines[phase];
        }

        // Not under the lock: what a task does is its own affair.
        List<(string Name, Task Task)> running = [.. tasks.Select(t => (t.Name, Started(t.Task)))];

        if (phase == PhaseTerminateActors) running.Add(("actors", _system.Terminate()));
        if (running.Count == 0) return;
        var all = Task.WhenAll(running.Select(r => r.Task));
        try
        {
            await WaitAsync(phase, all, deadline).ConfigureAwait(false);
            Log(LogLevel.Info, $"{phase} done after {_system.Time.GetElapsedTime(began).TotalSeconds:0.00} s");
        }
        catch (OperationCanceledException) when (!all.IsCompleted)
        {
            Log(LogLevel.Warning, $"{phase} is cut short: {Late(running)}");
        }
        catch (TimeoutException) when (!all.IsCompleted)
        {
            var seconds = _system.Time.GetElapsedTime(began).TotalSeconds;
            Log(LogLevel.Warning, $"{phase} is not done after {seconds:0.0} s: {Late(running)}; going on");
        }
        catch (Exception failure)
        {
            _system.Log(LogLevel.Error, "shutdown", $"a task of {phase} failed: {failure.Message}; going on", failure);
        }
    }

    private async Task WaitAsync(string phase, Task all, TimeSpan deadline)
    {
        if (AtOnce.IsCancellationRequested)
        {
            await all.WaitAsync(AtOnceDeadline, _system.Time).ConfigureAwait(false);
            return;
        }

        try
        {
            await all.WaitAsync(deadline, _system.Time, AtOnce).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (phase is not (PhaseDrain or PhaseSave) && !all.IsCompleted)
        {
            // Goodbyes and files still get their moment.
            await all.WaitAsync(AtOnceDeadline, _system.Time).ConfigureAwait(false);
        }
    }

    private void Log(LogLevel level, FormattableString line) =>
        _system.Log(level, "shutdown", line.ToString(CultureInfo.InvariantCulture), null);

    private static string Late(List<(string Name, Task Task)> running) =>
        string.Join(", ", running.Where(r => !r.Task.IsCompleted).Select(r => r.Name));

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
        Phases.Contains(phase, StringComparer.Ordinal)
            ? phase : throw new ArgumentException($"there is no phase {phase}", nameof(phase));
}
