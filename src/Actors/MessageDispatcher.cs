namespace Convoy.Actors;

public static class Dispatchers
{
    /// <summary>Shares the thread pool.</summary>
    public const string Pool = "pool";
    /// <summary>A thread of the actor's own: for devices and blocking drivers.</summary>
    public const string Pinned = "pinned";
    /// <summary>Runs on the thread that tells: for tests and bridges.</summary>
    public const string Calling = "calling";

    internal static bool IsKnown(string name) => name is Pool or Pinned or Calling;
}

/// <summary>
/// Work of one mailbox: run it once per <see cref="MessageDispatcher.Execute"/>, never twice at a time.
/// </summary>
public interface IRunnable
{
    void Run();
}

/// <summary>Decides on which thread, and when, mailboxes run.</summary>
public abstract class MessageDispatcher
{
    /// <summary>Called by a mailbox that has work and is not running.</summary>
    public abstract void Execute(IRunnable mailbox);

    /// <summary>The actor that used this dispatcher has ended.</summary>
    public virtual void Detach()
    {
    }
}
