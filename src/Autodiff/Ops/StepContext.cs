using Convoy.Shared.Random;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// What an operator may know of the step beside its operands: a program fills it before each run, and eager calls see
/// zeros. Random numbers of samples are a function of it, never of workers, shares or pieces.
/// </summary>
internal sealed class StepContext
{
    public static readonly StepContext Zero = new();

    /// <summary>The seed of the job.</summary>
    public ulong Seed { get; set; }

    /// <summary>Number of the step, from 1.</summary>
    public long Step { get; set; }

    /// <summary>Position in the epoch of the first row of the call; the others follow it.</summary>
    public long FirstPosition { get; set; }

    /// <summary>
    /// Random words with the key (seed of the job, seed and id of the operator) and the counter (step, position of the
    /// sample, element of the sample).
    /// </summary>
    public SampleStream StreamOf(ulong seed, ulong id, long row) => new(
        Philox4x32.Block(RandomStream.KeyOf(Seed, RandomPurpose.Mask), id, seed).Low, Step, FirstPosition + row);
}

/// <summary>The random numbers of one sample in one step for one operator.</summary>
internal readonly struct SampleStream(ulong key, long step, long position)
{
    /// <summary>Elements of a sample and positions of an epoch, so that both fit the counter.</summary>
    public const int ElementsMax = 1 << 26;
    private const int ElementBits = 24; // four elements share a block

    /// <summary>Uniform in [0, 1), a multiple of 2^-24: exact in float32.</summary>
    public float Uniform(int element)
    {
        var counter = ((ulong)position << ElementBits) | ((uint)element >> 2);
        return (Philox4x32.Block(key, counter, (ulong)step)[element & 3] >> 8) * (1f / (1 << 24));
    }
}
