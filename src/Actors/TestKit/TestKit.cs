using Convoy.Shared.Diagnostics;

namespace Convoy.Actors.TestKit;

/// <summary>
/// Base of actor tests. With virtual time everything runs on the test's thread, in a fixed order, and a wait of an
/// hour takes no time; without it actors run on the pool and waits are real, with a deadline.
/// </summary>
public class TestKit : IDisposable
{
    private readonly DeterministicDispatcher? _dispatcher;
    private readonly ManualTime? _manualTime;

    public TestKit(bool virtualTime = true, ILogSink? logSink = null, Action<DeadLetter>? deadLetterSink = null)
    {
        if (virtualTime)
        {
            _dispatcher = new DeterministicDispatcher();
            _manualTime = new ManualTime();
        }

        Sys = ActorSystem.Create("test", new ActorSystemOptions
        {
            Time = Time,
            LogSink = logSink,
            Dispatcher = _dispatcher,
            DeadLetterSink = deadLetterSink,
        });
        Probe = CreateTestProbe("testActor");
    }

    public ActorSystem Sys { get; }

    public TimeProvider Time => (TimeProvider?)_manualTime ?? TimeProvider.System;

    /// <summary>How long an expectation waits when it is not told.</summary>
    public TimeSpan DefaultTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long silence is when it is not told: short in real time.</summary>
    public TimeSpan DefaultSilence => _manualTime is null ? TimeSpan.FromMilliseconds(50) : TimeSpan.FromSeconds(1);

    public IActorRef TestActor => Probe.Ref;

    public TestProbe Probe { get; }

    public TestProbe CreateTestProbe(string? name = null)
    {
        var probe = new TestProbe(this, name);
        Settle();
        return probe;
    }

    public T ExpectMsg<T>(TimeSpan? timeout = null) => Probe.ExpectMsg<T>(timeout);

    public T ExpectMsg<T>(T message, TimeSpan? timeout = null) => Probe.ExpectMsg(message, timeout);

    public void ExpectNoMsg(TimeSpan? duration = null) => Probe.ExpectNoMsg(duration);

    /// <summary>Virtual time only: moves the clock; actors run after each timer and at the end.</summary>
    public void Advance(TimeSpan by)
    {
        var time = _manualTime ?? throw new InvalidOperationException("real time cannot be advanced");
        Settle();
        time.Advance(by, Settle);
        Settle();
    }

    /// <summary>Virtual time only: runs the actors until none has work.</summary>
    public void Settle() => _dispatcher?.RunUntilIdle();

    /// <summary>Waits for a task that actors complete.</summary>
    public T Await<T>(Task<T> task, TimeSpan? timeout = null)
    {
        Await((Task)task, timeout);
        return task.GetAwaiter().GetResult();
    }

    public void Await(Task task, TimeSpan? timeout = null)
    {
        var limit = timeout ?? DefaultTimeout;
        var done = _manualTime is null
            ? ((IAsyncResult)task).AsyncWaitHandle.WaitOne(limit)
            : StepUntil(() => task.IsCompleted, limit);
        if (!done) throw new TestProbeException($"the task was not complete within {limit}");
        task.GetAwaiter().GetResult();
    }

    /// <summary>Stops the system and waits for its end.</summary>
    public void Shutdown()
    {
        var ended = Sys.Terminate();
        Settle();
        Await(ended, TimeSpan.FromSeconds(10));
    }

    public void Dispose()
    {
        Shutdown();
        GC.SuppressFinalize(this);
    }

    internal bool WaitFor(SemaphoreSlim signal, TimeSpan limit) =>
        _manualTime is null ? signal.Wait(limit) : StepUntil(() => signal.Wait(0), limit);

    /// <summary>Moves virtual time from timer to timer until the condition holds or the limit is used up.</summary>
    private bool StepUntil(Func<bool> condition, TimeSpan limit)
    {
        var time = _manualTime!;
        Settle();
        var until = time.Elapsed + limit;
        while (!condition())
        {
            if (time.NextDue is not { } next || time.Elapsed + next > until)
            {
                time.Advance(until - time.Elapsed, Settle);
                Settle();
                return condition();
            }

            time.Advance(next, Settle);
            Settle();
        }

        return true;
    }
}
