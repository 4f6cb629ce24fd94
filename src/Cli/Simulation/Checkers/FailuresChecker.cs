using Convoy.Actors.Simulation;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// No worker breaks by itself: every fault of the plan is an operating failure that the protocols have an answer to.
/// </summary>
internal sealed class FailuresChecker : Checker
{
    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        if (message is WorkerFailed failed) Fail($"{from.Process} failed: {failed.Text}");
    }
}
