using Convoy.Kernels;

namespace Convoy.Worker.Hosting;

/// <summary>What a worker says of the machine and the process it runs in.</summary>
internal sealed record MachineFacts
{
    public static readonly MachineFacts Real = new()
    {
        Host = Environment.MachineName, Pid = Environment.ProcessId, Cores = Environment.ProcessorCount,
        DeviceKind = SimdInfo.DeviceKind, MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        WorkingSet = static () => Environment.WorkingSet,
    };

    public required string Host { get; init; }
    public required int Pid { get; init; }
    public required int Cores { get; init; }
    /// <summary>ISA class, kernel set and denormal mode: a part of H_0.</summary>
    public required string DeviceKind { get; init; }
    public required long MemoryBytes { get; init; }
    /// <summary>Bytes that the process occupies now.</summary>
    public required Func<long> WorkingSet { get; init; }
}
