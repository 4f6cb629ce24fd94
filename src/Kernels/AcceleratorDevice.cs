namespace Convoy.Kernels;

/// <summary>A device beside the processor that may compute convolutions (DEV-01, DEV-08).</summary>
public sealed record AcceleratorDevice
{
    /// <summary>Kind and index, as jobs and commands spell it.</summary>
    public string Name => $"opencl:{Index}";

    /// <summary>Its place among all devices of all drivers, from 0, in the order of the library.</summary>
    public required int Index { get; init; }

    /// <summary>gpu, cpu, or accelerator for anything else.</summary>
    public required string Kind { get; init; }

    /// <summary>What its maker calls it.</summary>
    public required string Model { get; init; }

    public required string Vendor { get; init; }

    /// <summary>The driver's name for itself.</summary>
    public required string Platform { get; init; }

    /// <summary>Version of the driver.</summary>
    public required string Driver { get; init; }

    public required int ComputeUnits { get; init; }

    /// <summary>Memory of the device in bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>It computes float64 with the same rules.</summary>
    public required bool HasFloat64 { get; init; }

    public required bool HasFusedMultiplyAdd { get; init; }

    /// <summary>It keeps denormal numbers of float32.</summary>
    public required bool HasDenormals { get; init; }

    /// <summary>Why it cannot be used, in words that follow its name; null: it can.</summary>
    public required string? Fault { get; init; }
}
