namespace Convoy.Actors;

/// <summary>Puts messages aside; they come back in their order, ahead of what waits in the mailbox.</summary>
public interface IStash
{
    /// <summary>Puts the message that is being handled aside.</summary>
    void Stash();

    /// <summary>Brings back the oldest one.</summary>
    void Unstash();

    void UnstashAll();

    int Count { get; }
}

/// <summary>The runtime sets <see cref="Stash"/> after the constructor and before <c>PreStart</c>.</summary>
public interface IWithStash
{
    IStash Stash { get; set; }
}

/// <summary>Name kept from Akka.NET; the bound is the mailbox limit (decision 7: nothing is unbounded).</summary>
public interface IWithUnboundedStash : IWithStash
{
}
