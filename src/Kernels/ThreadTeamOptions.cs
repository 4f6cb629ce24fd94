namespace Convoy.Kernels;

/// <summary>
/// When a team divides a kernel that works element by element: arithmetic, reductions, updates, and all their gradients
/// (AD-14). Below the minimum the caller computes alone. Bits never depend on it (K-1); matrix products, convolutions
/// and attention go by their operations and are not meant.
/// </summary>
public sealed record ThreadTeamOptions
{
    public static readonly ThreadTeamOptions Default = new();

    /// <summary>Fewer elements than this are computed by the caller alone; null: two parts' worth.</summary>
    public int? ElementsMin { get; init; }

    /// <summary>Elements of a part at least; null: as many as take the kernel about 40 us.</summary>
    public int? ElementsPerPart { get; init; }

    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    internal void Check()
    {
        if (ElementsMin is { } least) ArgumentOutOfRangeException.ThrowIfLessThan(least, 1, nameof(ElementsMin));
        if (ElementsPerPart is { } part) ArgumentOutOfRangeException.ThrowIfLessThan(part, 1, nameof(ElementsPerPart));
    }
}
