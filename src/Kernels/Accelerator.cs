using Convoy.Kernels.OpenCl;
using Convoy.Shared;

namespace Convoy.Kernels;

/// <summary>Devices beside the processor: OpenCL drivers that are installed on this machine (DEV-01, DEV-08).</summary>
public static class Accelerator
{
    /// <summary>All devices, usable or not, in the order of their index; none where nothing is installed.</summary>
    /// <param name="missing">What is not installed, and what to do about it, in one line; null: nothing.</param>
    /// <exception cref="UserException">The library is there and answers with an error.</exception>
    public static IReadOnlyList<AcceleratorDevice> Devices(out string? missing) =>
        [.. ClDevice.All(out missing).Select(device => device.Info)];
}
