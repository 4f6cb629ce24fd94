using Convoy.Shared.Threading;
using Convoy.Shared;
using Convoy.Shared.Errors;

namespace Convoy.Cli.Launch;

/// <summary>A worker process, as far as the fleet cares.</summary>
internal interface IFleetMember : IDisposable
{
    string Name { get; }
    /// <summary>The exit code, once the process is gone.</summary>
    Task<int> Exited { get; }
    string LastLines();
    void Kill();
}

/// <param name="Name">Of the worker.</param>
/// <param name="ExitCode">Of its process.</param>
/// <param name="LastLines">That it printed.</param>
/// <param name="Replaced">Another one is started in its place.</param>
internal sealed record LostWorker(string Name, int ExitCode, string LastLines, bool Replaced);

/// <summary>
/// Keeps as many worker processes alive as are wanted. A lost one is replaced under the same name, so that its logs
/// and its place in the journal stay the same (R6); one that left in good order is not. Replacements have a budget
/// that counts failures only, never scaling (R25).
/// </summary>
internal sealed class WorkerFleet(Func<string, IFleetMember> start, int wanted) : IDisposable
{
    /// <summary>Replacements in one run; a worker that cannot live must not be started for ever.</summary>
    public const int ReplacementsMax = 100;

    private readonly OrderedLock _gate = new("the workers of a launch", LockRank.Service);
    private readonly SortedDictionary<int, IFleetMember> _alive = [];
    private int _wanted = wanted;
    private bool _stopping;

    public int Replacements { get; private set; }

    /// <summary>A worker's process has ended unasked: what it left, and whether another one comes.</summary>
    public event Action<LostWorker>? Lost;

    /// <summary>Starts what is missing. Also the answer to every change.</summary>
    public void Fill()
    {
        using (_gate.Enter())
        {
            for (var index = 0; !_stopping && _alive.Count < _wanted; index++)
                if (!_alive.ContainsKey(index)) StartOne(index);
        }
    }

    /// <summary>Scales. Fewer: the coordinator releases some, and they are not replaced.</summary>
    public void Want(int workers)
    {
        using (_gate.Enter()) _wanted = workers;
        Fill();
    }

    /// <summary>
    /// Waits for all to end on their own, as the coordinator has told them; what is left at the end is killed.
    /// </summary>
    public async Task StopAsync(TimeSpan patience, TimeProvider time)
    {
        IFleetMember[] left;
        using (_gate.Enter())
        {
            _stopping = true;
            left = [.. _alive.Values];
        }
        var all = Task.WhenAll(left.Select(worker => worker.Exited));
        using var enough = new CancellationTokenSource();
        await Task.WhenAny(all, Task.Delay(patience, time, enough.Token));
        await enough.CancelAsync();
        foreach (var worker in left.Where(worker => !worker.Exited.IsCompleted)) worker.Kill();
        await all;
    }

    public void KillAll()
    {
        using (_gate.Enter())
        {
            _stopping = true;
            foreach (var worker in _alive.Values) worker.Kill();
        }
    }

    private void StartOne(int index)
    {
        var worker = start($"w{index}");
        _alive.Add(index, worker);
        _ = WatchAsync(index, worker);
    }

    private async Task WatchAsync(int index, IFleetMember worker)
    {
        var code = await worker.Exited;
        bool unasked, replaced;
        using (_gate.Enter())
        {
            _alive.Remove(index);
            var inGoodOrder =
                code is (int)ExitCode.Finished or (int)ExitCode.Drained or (int)ExitCode.DrainedByCheckpoint;
            unasked = !_stopping && !inGoodOrder;
            // What was wrong was what every worker is given: another one would end the same way.
            replaced = unasked && FailureClass.IsWorthARestart(code) && ++Replacements <= ReplacementsMax;
            if (inGoodOrder || (unasked && !replaced)) _wanted = Math.Min(_wanted, _alive.Count);
        }
        if (unasked) Lost?.Invoke(new LostWorker(worker.Name, code, worker.LastLines(), replaced));
        worker.Dispose();
        using (_gate.Enter())
        {
            // First the same name again, then whatever else is missing.
            if (replaced && !_stopping && _alive.Count < _wanted && !_alive.ContainsKey(index)) StartOne(index);
        }
        Fill();
    }

    public void Dispose() => KillAll();
}
