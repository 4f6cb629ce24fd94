namespace Convoy.Autodiff.Execution;

/// <summary>
/// Memory that a program takes beside what its callers give it (weights, gradients, batches): predicted by
/// <see cref="CompileReport.MemoryOf"/>, or held, by <see cref="TrainProgram.MemoryHeld"/>. In bytes.
/// </summary>
/// <param name="ArenaBytes">Planned memory of all values of a step; equal in prediction and program.</param>
/// <param name="SummedBytes">Sums over slices and what adds them; equal for the same form of step.</param>
/// <param name="ScratchBytes">
/// Packed operands and waiting sums that kernels keep on their threads. The prediction is an upper bound for all
/// threads; a program tells what the calling thread has.
/// </param>
public sealed record ProgramMemoryUse(long ArenaBytes, long SummedBytes, long ScratchBytes)
{
    /// <summary>Bytes of the arena that are written, so that the system has to find memory for them.</summary>
    public long TouchedBytes { get; init; } = ArenaBytes;
}
