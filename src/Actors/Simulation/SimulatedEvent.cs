namespace Convoy.Actors.Simulation;

/// <summary>
/// Something that happens at its time. A class of its own for each frequent kind: a run has millions of them, and a
/// closure with its delegate would be twice the memory.
/// </summary>
internal abstract class SimulatedEvent
{
    public abstract void Happen();
}

/// <summary>An event that is rare enough to be a delegate.</summary>
internal sealed class SimulatedCall(Action action) : SimulatedEvent
{
    public override void Happen() => action();
}

/// <summary>Something that travels from one machine to another and may be held up on the way.</summary>
/// <param name="network">Carries it.</param>
/// <param name="from">Host that sent it.</param>
/// <param name="to">Host that it goes to.</param>
/// <param name="process">Takes it, if it still lives; null: the world.</param>
internal abstract class SimulatedArrival(SimulatedNetwork network, string from, string to, SimulatedProcess? process)
    : SimulatedEvent
{
    public string From => from;
    public string To => to;
    public SimulatedProcess? Process => process;

    public sealed override void Happen() => network.Arrive(this);

    /// <summary>It is there.</summary>
    public abstract void Take();
}

internal sealed class ArrivalCall(
    SimulatedNetwork network, string from, string to, SimulatedProcess? process, Action arrive)
    : SimulatedArrival(network, from, to, process)
{
    public override void Take() => arrive();
}
