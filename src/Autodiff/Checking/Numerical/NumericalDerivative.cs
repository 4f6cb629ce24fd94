using Convoy.Shared;

namespace Convoy.Autodiff.Checking.Numerical;

/// <summary>Ways to a derivative from values of the function alone.</summary>
public enum NumericalMethod
{
    /// <summary>(f(x + h) - f(x)) / h: error of order h.</summary>
    Forward,
    /// <summary>(f(x) - f(x - h)) / h: error of order h.</summary>
    Backward,
    /// <summary>(f(x + h) - f(x - h)) / 2h: error of order h².</summary>
    Central,
    /// <summary>Four values around x: error of order h⁴.</summary>
    FivePoint,
    /// <summary>Central differences of ever smaller h, extrapolated to h = 0 until rounding takes over.</summary>
    Richardson,
}

/// <summary>A derivative, how far it may be off, and how many values of the function it took.</summary>
/// <param name="Value">The derivative.</param>
/// <param name="Error">An estimate of its error; NaN of methods that have none.</param>
/// <param name="Evaluations">Values of the function.</param>
public readonly record struct NumericalSlope(double Value, double Error, int Evaluations);

/// <summary>HO-03, GV-01, GV-02: derivatives of functions of one number, in float64.</summary>
public static class NumericalDerivative
{
    private const double Unit = 2.220446049250313e-16;
    // Ridders 1982: h shrinks by this from row to row; the table has this many rows; a row this much worse ends it.
    private const double Shrink = 1.4;
    private const int RowsMax = 12;
    private const double Worse = 2;

    /// <summary>
    /// The h at which rounding and the cut of the method's series are about as large, for a function whose values and
    /// derivatives are of the size of x; the start of Richardson's table is larger, because it shrinks.
    /// </summary>
    public static double StepAt(double x, NumericalMethod method) => Math.Max(1, Math.Abs(x)) * method switch
    {
        NumericalMethod.Forward or NumericalMethod.Backward => Math.Sqrt(Unit),
        NumericalMethod.Central => Math.Cbrt(Unit),
        NumericalMethod.FivePoint => Math.Pow(Unit, 0.2),
        NumericalMethod.Richardson => 0.05,
        _ => throw Invariant.Unhandled(method),
    };

    /// <summary>f'(x).</summary>
    /// <param name="f">Continuous around x.</param>
    /// <param name="x">Where.</param>
    /// <param name="method">How.</param>
    /// <param name="step">h; 0 chooses it by <see cref="StepAt"/>.</param>
    public static NumericalSlope At(Func<double, double> f, double x, NumericalMethod method, double step = 0)
    {
        if (step < 0 || !double.IsFinite(step)) throw new ArgumentException($"a step is 0 or more, not {step}");
        var h = step > 0 ? step : StepAt(x, method);
        // What is added is what was meant: x + h has no digits for the rest of h.
        if (step == 0) h = x + h - x;
        return method switch
        {
            NumericalMethod.Forward => new((f(x + h) - f(x)) / h, double.NaN, 2),
            NumericalMethod.Backward => new((f(x) - f(x - h)) / h, double.NaN, 2),
            NumericalMethod.Central => new(Central(f, x, h), double.NaN, 2),
            NumericalMethod.FivePoint => new(
                ((8 * (f(x + h) - f(x - h))) - (f(x + (2 * h)) - f(x - (2 * h)))) / (12 * h), double.NaN, 4),
            NumericalMethod.Richardson => Extrapolated(f, x, h),
            _ => throw Invariant.Unhandled(method),
        };
    }

    private static double Central(Func<double, double> f, double x, double h) => (f(x + h) - f(x - h)) / (2 * h);

    // Row i has the difference of h / shrink^i and what follows from it and the row before, with h² cancelled, h⁴ … The
    // best is where two neighbours differ least; when a row ends worse than that, rounding has taken over.
    private static NumericalSlope Extrapolated(Func<double, double> f, double x, double h)
    {
        var (before, row) = (new double[RowsMax], new double[RowsMax]);
        var (best, error, evaluations) = (Central(f, x, h), double.PositiveInfinity, 2);
        // The first h may reach over the edge of what f is defined for.
        for (; !double.IsFinite(best) && h > Unit; evaluations += 2) best = Central(f, x, h /= 8);
        before[0] = best;
        for (var i = 1; i < RowsMax; i++)
        {
            h /= Shrink;
            row[0] = Central(f, x, h);
            evaluations += 2;
            var factor = Shrink * Shrink;
            for (var j = 1; j <= i; j++, factor *= Shrink * Shrink)
            {
                row[j] = ((row[j - 1] * factor) - before[j - 1]) / (factor - 1);
                var off = Math.Max(Math.Abs(row[j] - row[j - 1]), Math.Abs(row[j] - before[j - 1]));
                if (off <= error) (best, error) = (row[j], off);
            }

            if (Math.Abs(row[i] - before[i - 1]) >= Worse * error) break;
            (before, row) = (row, before);
        }

        return new NumericalSlope(best, error, evaluations);
    }
}
