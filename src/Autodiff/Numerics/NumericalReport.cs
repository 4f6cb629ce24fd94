using System.Globalization;

namespace Convoy.Autodiff.Numerics;

/// <summary>What one look at a tensor found, by kind. Subnormal numbers are counted and left alone.</summary>
/// <param name="First">Place of the first fault in row-major order, or -1.</param>
public sealed record NumericalReport(
    long Elements, long NaN, long PositiveInfinity, long NegativeInfinity, long BelowLow,
    long AboveHigh, long Subnormal,
    long Guarded, long First)
{
    /// <summary>Elements that strict mode refuses and permissive mode replaces.</summary>
    public long Faults => NaN + PositiveInfinity + NegativeInfinity + BelowLow + AboveHigh + Guarded;

    /// <inheritdoc/>
    public override string ToString()
    {
        if (Faults == 0) return string.Create(CultureInfo.InvariantCulture, $"{Elements} elements, no faults");
        (long Count, string Name)[] kinds =
        [
            (NaN, "NaN"), (PositiveInfinity, "+infinity"), (NegativeInfinity, "-infinity"), (BelowLow, "too low"),
            (AboveHigh, "too high"), (Guarded, "too near zero"),
        ];
        var found = kinds.Where(k => k.Count > 0)
            .Select(k => string.Create(CultureInfo.InvariantCulture, $"{k.Count} {k.Name}"));
        return string.Create(CultureInfo.InvariantCulture,
            $"{Elements} elements: {string.Join(", ", found)}, the first at element {First}");
    }
}
