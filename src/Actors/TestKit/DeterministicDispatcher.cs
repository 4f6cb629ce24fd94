namespace Convoy.Actors.TestKit;

/// <summary>
/// Runs every mailbox on the thread that asks, in the order in which they got work: the same tells give the same run.
/// </summary>
public sealed class DeterministicDispatcher : MessageDispatcher
{
    /// <summary>
    /// Turns of one <see cref="RunUntilIdle"/>: two actors that answer each other for ever are found, not waited for.
    /// </summary>
    private const int TurnsMax = 10_000_000;

    private readonly Lock _lock = new();
    private readonly Queue<IRunnable> _ready = new();
    private bool _running;

    public override void Execute(IRunnable mailbox)
    {
        lock (_lock) _ready.Enqueue(mailbox);
    }

    /// <summary>Runs until no mailbox has work. Returns how many turns it took.</summary>
    public int RunUntilIdle()
    {
        if (_running) return 0;
        _running = true;
        try
        {
            for (var turns = 0; turns < TurnsMax; turns++)
            {
                if (!TryTake(out var mailbox)) return turns;
                mailbox!.Run();
            }
        }
        finally
        {
            _running = false;
        }

        throw new InvalidOperationException($"the actors were not idle after {TurnsMax} turns");
    }

    private bool TryTake(out IRunnable? mailbox)
    {
        lock (_lock) return _ready.TryDequeue(out mailbox);
    }
}
