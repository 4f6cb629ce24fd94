using Convoy.Shared.Security;
using Convoy.Shared.Time;

namespace Convoy.Worker.Hosting;

/// <summary>How a worker process is run.</summary>
public sealed record WorkerOptions
{
    /// <summary>host:port of the coordinator, or several of its addresses with commas.</summary>
    public required string Join { get; init; }
    /// <summary>Name of this worker; stable across restarts, unique in the cluster.</summary>
    public required string Name { get; init; }
    /// <summary>host:port where other workers dial this one; port 0 takes a free one.</summary>
    public string Listen { get; init; } = "127.0.0.1:0";
    /// <summary>
    /// What the others are told to dial, host[:port] with commas; null: where it listens, on 0.0.0.0 every address of
    /// the machine.
    /// </summary>
    public string? Advertise { get; init; }
    /// <summary>Threads that compute each kernel together. They never show in the weights.</summary>
    public int Threads { get; init; } = 1;
    /// <summary>Certificate and trust: every connection is TLS. Null: plain, and loopback only.</summary>
    public CredentialSource? Credentials { get; init; }
    /// <summary>Folder of the log <c>NAME.log</c>; null: no log file.</summary>
    public string? LogDirectory { get; init; }
    /// <summary>End at once when standard input ends: the launcher holds its other end.</summary>
    public bool EndWithParent { get; init; }
    /// <summary>Ctrl-C goes to the whole process group; the launcher handles it for all.</summary>
    public bool IgnoreInterrupt { get; init; }
    /// <summary>From SIGTERM to the end, at most.</summary>
    public TimeSpan Grace { get; init; } = new ClockTable().Grace;
    /// <summary>How long to train on, or wait, without a coordinator.</summary>
    public TimeSpan OrphanLimit { get; init; } = TimeSpan.FromMinutes(10);
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
    public ClockTable Clocks { get; init; } = new();
    /// <summary>Gets the few lines that a person may want to see; null: standard error.</summary>
    public Action<string>? Say { get; init; }
}
