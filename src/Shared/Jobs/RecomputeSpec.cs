using System.Globalization;

namespace Convoy.Shared.Jobs;

public enum RecomputeKind
{
    /// <summary>Everything that the gradient reads stays in memory.</summary>
    None,
    /// <summary>Nothing that can be made again stays but the inputs.</summary>
    All,
    /// <summary>The forward pass is cut in pieces of equal memory; what crosses a cut stays.</summary>
    Uniform,
    /// <summary>As many pieces as the root of the number of saved values.</summary>
    Root,
    /// <summary>Pieces that are themselves cut in pieces.</summary>
    Nested,
    /// <summary>The cheapest choice whose planned memory fits.</summary>
    Budget,
    /// <summary>As budget, and chosen again while the job trains, by what steps took and hold.</summary>
    Adapt,
}

/// <summary>
/// Which activations are computed again in the backward pass instead of kept: <c>none</c>, <c>all</c>,
/// <c>uniform:K</c>, <c>sqrt</c>, <c>nested:K</c> or <c>nested:K:DEPTH</c>, <c>budget:SIZE</c>, <c>adapt:SIZE</c>.
/// None of them changes a bit, so a choice that follows a clock does not either.
/// </summary>
/// <param name="Kind">The strategy.</param>
/// <param name="Pieces">uniform, nested: pieces of each level.</param>
/// <param name="Depth">nested: levels, 2 to 4.</param>
/// <param name="BudgetBytes">budget: most bytes of the planned memory of a training step; adapt: of all that the
/// program holds.</param>
public sealed record RecomputeSpec(RecomputeKind Kind, int Pieces = 0, int Depth = 1, long BudgetBytes = 0)
{
    public const string Range = "none, all, uniform:K, sqrt, nested:K, nested:K:DEPTH, budget:SIZE or adapt:SIZE";
    private const int PiecesMax = 1_024;
    private const int DepthMax = 4;

    public static readonly RecomputeSpec None = new(RecomputeKind.None);

    /// <summary>Reads the text of a job. <paramref name="broken"/> is the rule that it breaks, or null.</summary>
    public static RecomputeSpec Parse(string text, out string? broken)
    {
        var words = text.Split(':');
        broken = null;
        switch (words)
        {
            case ["none"]: return None;
            case ["all"]: return new RecomputeSpec(RecomputeKind.All);
            case ["sqrt"]: return new RecomputeSpec(RecomputeKind.Root);
            case ["uniform", var k] when Number(k, 2, PiecesMax) is { } pieces:
                return new RecomputeSpec(RecomputeKind.Uniform, pieces);
            case ["nested", var k] when Number(k, 2, PiecesMax) is { } pieces:
                return new RecomputeSpec(RecomputeKind.Nested, pieces, 2);
            case ["nested", var k, var d] when Number(k, 2, PiecesMax) is { } pieces
                && Number(d, 2, DepthMax) is { } depth:
                return new RecomputeSpec(RecomputeKind.Nested, pieces, depth);
            case ["budget", var size] when JobValues.TryBytes(size) is > 0 and { } bytes:
                return new RecomputeSpec(RecomputeKind.Budget, BudgetBytes: bytes);
            case ["adapt", var size] when JobValues.TryBytes(size) is > 0 and { } bytes:
                return new RecomputeSpec(RecomputeKind.Adapt, BudgetBytes: bytes);
            default:
                broken = $"'{text}' is not known; use {Range} (K from 2 to {PiecesMax}, DEPTH from 2 to {DepthMax}, "
                    + "SIZE such as 64MB)";
                return None;
        }
    }

    /// <summary>Reads a text that the rules of the job have accepted.</summary>
    public static RecomputeSpec Of(JobSpec job) => Parse(job.Recompute, out _);

    public override string ToString() => Kind switch
    {
        RecomputeKind.None => "none",
        RecomputeKind.All => "all",
        RecomputeKind.Root => "sqrt",
        RecomputeKind.Uniform => string.Create(CultureInfo.InvariantCulture, $"uniform:{Pieces}"),
        RecomputeKind.Nested => string.Create(CultureInfo.InvariantCulture, $"nested:{Pieces}:{Depth}"),
        RecomputeKind.Adapt => string.Create(CultureInfo.InvariantCulture, $"adapt:{BudgetBytes}B"),
        _ => string.Create(CultureInfo.InvariantCulture, $"budget:{BudgetBytes}B"),
    };

    private static int? Number(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        && value >= least && value <= most ? value : null;
}
