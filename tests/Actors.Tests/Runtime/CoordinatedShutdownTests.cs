using System.Collections.Concurrent;
using Convoy.Actors.TestKit;
using Convoy.Shared.Diagnostics;

namespace Convoy.Actors.Tests.Runtime;

public sealed class CoordinatedShutdownTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly ConcurrentQueue<string> _log = [];
    private readonly ManualTime _time = new();
    private readonly ActorSystem _system;

    public CoordinatedShutdownTests() =>
        _system = ActorSystem.Create("ending", new ActorSystemOptions { Time = _time, LogSink = new Sink(_log) });

    [Fact]
    public async Task Phases_run_in_order_once_and_actors_end_last()
    {
        var order = new ConcurrentQueue<string>();
        var shutdown = CoordinatedShutdown.Get(_system);
        foreach (var phase in (string[])[CoordinatedShutdown.PhaseCloseLanes, CoordinatedShutdown.PhaseStopTakingWork])
        {
            shutdown.AddTask(phase, phase, () =>
            {
                order.Enqueue(_system.WhenTerminated.IsCompleted ? "too late" : phase);
                return Task.CompletedTask;
            });
        }

        await Task.WhenAll(shutdown.Run("test"), shutdown.Run("again"))
            .WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.Equal([CoordinatedShutdown.PhaseStopTakingWork, CoordinatedShutdown.PhaseCloseLanes], order);
        Assert.True(_system.WhenTerminated.IsCompletedSuccessfully);
        Assert.Throws<InvalidOperationException>(
            () => shutdown.AddTask(CoordinatedShutdown.PhaseCloseLanes, "x", () => Task.CompletedTask));
    }

    [Fact]
    public async Task A_phase_that_hangs_or_throws_is_named_and_the_next_one_begins()
    {
        var shutdown = CoordinatedShutdown.Get(_system);
        shutdown.SetDeadline(CoordinatedShutdown.PhaseDrain, TimeSpan.FromSeconds(3));
        shutdown.AddTask(CoordinatedShutdown.PhaseStopTakingWork, "port", () => throw new IOException("no port"));
        shutdown.AddTask(CoordinatedShutdown.PhaseDrain, "quick", () => Task.CompletedTask);
        shutdown.AddTask(CoordinatedShutdown.PhaseDrain, "stuck", () => new TaskCompletionSource().Task);
        var run = shutdown.Run("test");
        while (!run.IsCompleted)
        {
            if (_log.Any(l => l.Contains("no port", StringComparison.Ordinal))
                && !_log.Any(l => l.Contains("stuck", StringComparison.Ordinal)))
                // as often as it takes: the wait is armed a moment after its phase began
                _time.Advance(TimeSpan.FromSeconds(3));
            await Task.Yield();
        }

        await run;
        Assert.Contains(_log,
            l => l.Contains("a task of stop-taking-work failed: no port; going on", StringComparison.Ordinal));
        Assert.Contains(_log,
            l => l.StartsWith("drain is not done after ", StringComparison.Ordinal)
                && l.EndsWith(" s: stuck; going on", StringComparison.Ordinal));
        Assert.True(_system.WhenTerminated.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Files_are_closed_after_the_last_actor()
    {
        var actorsWereGone = false;
        var shutdown = CoordinatedShutdown.Get(_system);
        shutdown.AddTask(CoordinatedShutdown.PhaseCloseFiles, "journal", () =>
        {
            actorsWereGone = _system.WhenTerminated.IsCompleted;
            return Task.CompletedTask;
        });
        await shutdown.Run("test").WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.True(actorsWereGone);
    }

    [Fact]
    public async Task Asked_a_second_time_it_neither_drains_nor_saves_and_still_says_goodbye()
    {
        var done = new ConcurrentQueue<string>();
        var draining = new TaskCompletionSource();
        var shutdown = CoordinatedShutdown.Get(_system);
        shutdown.SetDeadline(CoordinatedShutdown.PhaseDrain, TimeSpan.FromHours(1));
        shutdown.AddTask(CoordinatedShutdown.PhaseDrain, "worker", () =>
        {
            draining.SetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, _time, shutdown.AtOnce);
        });
        foreach (var phase in (string[])[CoordinatedShutdown.PhaseSave, CoordinatedShutdown.PhaseCloseLanes,
            CoordinatedShutdown.PhaseCloseFiles])
        {
            shutdown.AddTask(phase, phase, () =>
            {
                done.Enqueue(phase);
                return Task.CompletedTask;
            });
        }

        var run = shutdown.Run("SIGTERM");
        await draining.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);
        await shutdown.RunAtOnce("a second SIGTERM").WaitAsync(Limit, TestContext.Current.CancellationToken);
        await run;
        Assert.Equal([CoordinatedShutdown.PhaseCloseLanes, CoordinatedShutdown.PhaseCloseFiles], done);
        Assert.Contains("save is left out", _log);
        Assert.True(_system.WhenTerminated.IsCompletedSuccessfully);
    }

    [Fact]
    public void A_phase_that_does_not_exist_is_refused() => Assert.Throws<ArgumentException>(
        () => CoordinatedShutdown.Get(_system).AddTask("nowhere", "x", () => Task.CompletedTask));

    private sealed class Sink(ConcurrentQueue<string> lines) : ILogSink
    {
        public void Write(LogLevel level, string source, string text, Exception? exception = null) =>
            lines.Enqueue(text);
    }
}
