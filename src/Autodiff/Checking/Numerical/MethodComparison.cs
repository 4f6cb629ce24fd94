using System.Globalization;
using Convoy.Autodiff.Optim.Gradients;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Numerical;

/// <summary>How well one numerical method agrees with the gradient of the tape, over all elements of all
/// inputs.</summary>
/// <param name="Method">Which.</param>
/// <param name="Elements">How many were compared.</param>
/// <param name="Evaluations">Values of the function it took.</param>
/// <param name="Max">The largest error: relative, absolute below 1.</param>
/// <param name="Mean">The mean error.</param>
/// <param name="Median">Half of the errors are below it.</param>
/// <param name="Deviation">Of the errors, from their mean.</param>
/// <param name="Within">Share of elements within the tolerance.</param>
public sealed record MethodAgreement(
    NumericalMethod Method, int Elements, int Evaluations, double Max, double Mean, double Median, double Deviation,
    double Within)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Method}: {Elements} elements, {Evaluations} values, error at most {Max:e1}, mean {Mean:e1}, median {Median:e1}, deviation {Deviation:e1}, {Within:p0} within");
}

/// <summary>What all methods together say of a gradient.</summary>
/// <param name="Methods">Each of them, in the order in which they were asked for.</param>
/// <param name="Tolerance">Of an error.</param>
public sealed record GradientComparison(IReadOnlyList<MethodAgreement> Methods, double Tolerance)
{
    /// <summary>
    /// Right when the method that knows best agrees everywhere: a wrong gradient is beyond the reach of all of them.
    /// </summary>
    public bool Agrees => Best.Within == 1;

    /// <summary>The method with the smallest largest error.</summary>
    public MethodAgreement Best => Methods.MinBy(m => m.Max)!;
}

/// <summary>GV-02: one gradient against several numerical methods.</summary>
public static class MethodComparison
{
    /// <summary>Compares the gradient of the tape with each method, element by element.</summary>
    /// <param name="function">Of the inputs; its results are weighted with fixed numbers and summed.</param>
    /// <param name="inputs">Those in float64 are compared.</param>
    /// <param name="tolerance">Of an error, relative, absolute below 1.</param>
    /// <param name="methods">All of them when none is named.</param>
    public static GradientComparison Run(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, double tolerance = 1e-8,
        params NumericalMethod[] methods)
    {
        if (methods.Length == 0) methods = Enum.GetValues<NumericalMethod>();
        return new GradientComparison([.. methods.Select(m => Of(function, inputs, m, tolerance))], tolerance);
    }

    private static MethodAgreement Of(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, NumericalMethod method, double tolerance)
    {
        var options = new GradCheckOptions(Epsilon: 0, Method: method);
        var (slopes, evaluations) = (GradCheck.Slopes(function, inputs, options), 0);
        var errors = new double[slopes.Count];
        for (var i = 0; i < errors.Length; i++)
        {
            errors[i] = slopes[i].RelativeError;
            evaluations += slopes[i].Evaluations;
        }

        if (errors.Length == 0) throw new ArgumentException("no input is float64: there is nothing to compare");
        Array.Sort(errors);
        return new MethodAgreement(
            method, errors.Length, evaluations, errors[^1], GradientMath.Mean(errors),
            GradientMath.Percentile(errors, 50), GradientMath.Deviation(errors),
            (double)errors.Count(e => e <= tolerance) / errors.Length);
    }
}
