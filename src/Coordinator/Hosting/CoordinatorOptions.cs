using Convoy.Coordinator.Security;
using Convoy.Shared.Casting;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Hosting;

public sealed record CoordinatorOptions
{
    /// <summary>host:port; port 0 takes a free one. Remoting and HTTP share it.</summary>
    public string Listen { get; init; } = "127.0.0.1:0";
    /// <summary>
    /// What workers on other machines are told to dial, host[:port] with commas; null: where it listens.
    /// </summary>
    public string? Advertise { get; init; }
    /// <summary>Journal, checkpoints, metrics.jsonl, endpoint.json.</summary>
    public required string StateDirectory { get; init; }
    /// <summary>
    /// Training starts when this many are ready, or after a while with elastic.min of them; 0: elastic.min.
    /// </summary>
    public int WorkersExpected { get; init; }
    /// <summary>
    /// While another coordinator leads on this folder, wait; when it is gone, go on with its jobs. Without it a folder
    /// that is in use is refused.
    /// </summary>
    public bool Standby { get; init; }
    /// <summary>
    /// The first job is the only one: workers that come after its end are released, and a job that was left in the
    /// folder waits to be submitted again. Any other coordinator goes on with what it finds.
    /// </summary>
    public bool SingleJob { get; init; }
    /// <summary>TLS and certificates; null: plain, and loopback only.</summary>
    public ServerSecurity? Security { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;
    public ClockTable Clocks { get; init; } = new();
    /// <summary>From how many members on they are told through a tree.</summary>
    public CastShape Casts { get; init; } = CastShape.Default;
    public ILogSink Log { get; init; } = NullLogSink.Instance;
}
