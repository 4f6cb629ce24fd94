namespace Convoy.Kernels;

/// <summary>What an accelerator was given to do so far (DEV-14).</summary>
/// <param name="Launches">Programs that it ran.</param>
/// <param name="BytesSent">From the machine's memory to the device.</param>
/// <param name="BytesReceived">From the device to the machine's memory.</param>
/// <param name="MemoryBytes">Its memory that is in use now.</param>
public readonly record struct AcceleratorUse(long Launches, long BytesSent, long BytesReceived, long MemoryBytes);
