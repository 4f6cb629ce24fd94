using Convoy.Cli.Simulation.Checkers;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;

namespace Convoy.Cli.Simulation;

/// <summary>Log lines are part of the trace; a broken invariant of the system's own is a failure of the run.</summary>
internal sealed class SimulatedLog(SimulatedCluster cluster, string host) : ILogSink
{
    public void Write(LogLevel level, string source, string text, Exception? exception = null)
    {
        if (cluster.World.Traces) cluster.World.Trace($"{host} {source}: {text}");
        for (var e = exception; e is not null; e = e.InnerException)
            if (e is InvariantException)
                cluster.OnViolation(new Violation("invariant", $"{host} {source}: {e.Message}"));
    }
}
