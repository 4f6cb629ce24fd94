namespace Convoy.Autodiff.Numerics;

/// <summary>ERR-04: what a bad number leads to.</summary>
public enum NumericMode
{
    /// <summary>A number that is not finite, or was divided by zero, is an error that names it.</summary>
    Strict,
    /// <summary>It is repaired and counted.</summary>
    Permissive,
}

/// <summary>
/// What is wrong with a number and what takes its place. The defaults leave every finite number alone; infinities
/// become the largest finite number of the element type unless another is named.
/// </summary>
/// <param name="Low">Smaller numbers are set to it.</param>
/// <param name="High">Larger numbers are set to it.</param>
/// <param name="Smallest">Divisors, and arguments of roots and logarithms, are kept this far from zero.</param>
public sealed record NumericPolicy(
    NumericMode Mode, double ForNaN = 0, double? ForPositiveInfinity = null, double? ForNegativeInfinity = null,
    double Low = double.NegativeInfinity, double High = double.PositiveInfinity, double Smallest = 1e-12)
{
    /// <summary>A bad number is a <see cref="Shared.Errors.NumericalException"/>.</summary>
    public static readonly NumericPolicy Strict = new(NumericMode.Strict);
    /// <summary>NaN becomes 0, infinities the largest finite numbers.</summary>
    public static readonly NumericPolicy Permissive = new(NumericMode.Permissive);
}
