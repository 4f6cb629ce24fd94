using Convoy.Autodiff.Checking.Numerical;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>How far gradients are from finite differences, for one input.</summary>
/// <param name="Input">Which.</param>
/// <param name="AbsoluteMax">The largest absolute error.</param>
/// <param name="RelativeMax">The largest relative error, against 1 where the gradient is smaller.</param>
/// <param name="Worst">The element with the largest absolute error.</param>
/// <param name="Checked">How many elements.</param>
public sealed record GradCheckResult(int Input, double AbsoluteMax, double RelativeMax, int Worst, int Checked)
{
    /// <summary>The mean of the absolute errors.</summary>
    public double AbsoluteMean { get; init; }

    /// <summary>Their deviation from that mean.</summary>
    public double AbsoluteDeviation { get; init; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"input {Input}: {Checked} elements, at most {AbsoluteMax:e2} absolute, {RelativeMax:e2} relative, at element {Worst}, {AbsoluteMean:e2} in the mean";
}

/// <summary>How gradients are checked.</summary>
/// <param name="Epsilon">The step of differences; 0 chooses one for each element.</param>
/// <param name="RelativeTolerance">Of an element's error, against 1 where the gradient is smaller.</param>
/// <param name="AbsoluteTolerance">Either of the two is enough.</param>
/// <param name="Method">The scheme of differences.</param>
public sealed record GradCheckOptions(
    double Epsilon = 1e-6, double RelativeTolerance = 1e-6, double AbsoluteTolerance = 1e-8,
    NumericalMethod Method = NumericalMethod.Central);

/// <summary>
/// GV-01: compares gradients with finite differences in float64. The results of the function are weighted with fixed
/// numbers, so that every one of them is checked and none cancels.
/// </summary>
public static class GradCheck
{
    /// <summary>Checks the gradient with respect to each float64 input; a line for each.</summary>
    /// <param name="function">From variables to one of any shape; called several times, so without
    /// randomness.</param>
    /// <param name="inputs">Where; they are not changed.</param>
    /// <param name="options">Step and tolerances.</param>
    /// <exception cref="ShapeException">No input is float64, or the result is not.</exception>
    public static IReadOnlyList<GradCheckResult> Run(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, GradCheckOptions? options = null)
    {
        if (!inputs.Any(IsChecked))
            throw NotWide($"the inputs are {string.Join(", ", inputs.Select(t => t.Type))}");
        var results = new List<GradCheckResult>();
        foreach (var input in Slopes(function, inputs, options ?? new GradCheckOptions()).GroupBy(s => s.Input))
            results.Add(Summary(input.Key, [.. input]));
        // An input without elements has nothing that could be wrong.
        for (var i = 0; i < inputs.Count; i++)
            if (IsChecked(inputs[i]) && inputs[i].Count == 0) results.Add(new GradCheckResult(i, 0, 0, 0, 0));
        return [.. results.OrderBy(r => r.Input)];
    }

    /// <summary>True when every element is within the absolute or the relative tolerance.</summary>
    public static bool Passes(GradCheckResult result, GradCheckOptions? options = null)
    {
        options ??= new GradCheckOptions();
        return result.AbsoluteMax <= options.AbsoluteTolerance || result.RelativeMax <= options.RelativeTolerance;
    }

    /// <summary>Gradient and difference of every element of every input in float64, one after another.</summary>
    internal static IReadOnlyList<CheckedSlope> Slopes(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, GradCheckOptions options)
    {
        Variable[] variables = [.. inputs.Select(t => new Variable(t.Copy(), IsChecked(t)))];
        var output = function(variables);
        var weights = Weights(output.Data.Shape);
        Variable[] wanted = [.. variables.Where(v => v.RequiresGradient)];
        if (wanted.Length > 0 && output.Data.DType != DType.Float64) throw NotWide($"the function gives {output.Type}");
        var gradients = Differentiate.Gradient([output], wanted, [new Variable(weights)]);

        var slopes = new List<CheckedSlope>();
        for (int i = 0, at = 0; i < inputs.Count; i++)
        {
            if (!IsChecked(inputs[i])) continue;
            var exact = gradients[at++].Data.ToArray<double>();
            var place = inputs[i].ToArray<double>();
            for (var k = 0; k < exact.Length; k++)
            {
                var (input, element) = (i, k);
                var slope = NumericalDerivative.At(
                    to => Weighted(function, inputs, input, element, to, weights), place[k], options.Method,
                    options.Epsilon);
                slopes.Add(new CheckedSlope(i, k, exact[k], slope.Value, slope.Evaluations));
            }
        }

        return slopes;
    }

    private static GradCheckResult Summary(int input, CheckedSlope[] slopes)
    {
        var (absolute, relative, worst) = (0.0, 0.0, 0);
        var errors = new double[slopes.Length];
        for (var k = 0; k < slopes.Length; k++)
        {
            errors[k] = slopes[k].Error;
            if (!(errors[k] <= absolute)) (absolute, worst) = (errors[k], k);
            relative = Math.Max(relative, slopes[k].RelativeError);
        }

        return new GradCheckResult(input, absolute, relative, worst, slopes.Length)
        {
            AbsoluteMean = Optim.Gradients.GradientMath.Mean(errors),
            AbsoluteDeviation = Optim.Gradients.GradientMath.Deviation(errors),
        };
    }

    private static ShapeException NotWide(string found) =>
        new($"gradients are checked in float64, {found}: cast to float64", ErrorCode.ElementType);

    private static bool IsChecked(Tensor tensor) => tensor.DType == DType.Float64;

    private static double Weighted(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, int input, int element, double to,
        Tensor weights)
    {
        // Recording stays on: a function may differentiate inside, and nothing here asks for a gradient.
        Variable[] variables = [.. inputs.Select((t, i) => new Variable(i == input ? t.Copy() : t))];
        variables[input].Data.Writable<double>()[element] = to;
        var output = function(variables).Data.ToArray<double>();
        var w = weights.Values<double>();
        var sum = 0.0;
        for (var i = 0; i < output.Length; i++) sum += output[i] * w[i];
        return sum;
    }

    private static Tensor Weights(Shape shape)
    {
        var weights = Tensor.Empty(DType.Float64, shape);
        var values = weights.Writable<double>();
        for (var i = 0; i < values.Length; i++) values[i] = 0.5 + (0.37 * ((i * 7) % 11)) - (i % 3);
        return weights;
    }
}

/// <summary>One element of an input: its gradient, and what differences say.</summary>
internal readonly record struct CheckedSlope(int Input, int Element, double Exact, double Slope, int Evaluations)
{
    /// <summary>Infinite when either is no number.</summary>
    public double Error => Math.Abs(Slope - Exact) is var e && double.IsNaN(e) ? double.PositiveInfinity : e;

    /// <summary>Against 1 when the gradient is small: a difference quotient knows no better.</summary>
    public double RelativeError => double.IsInfinity(Error) ? Error
        : Error / Math.Max(1, Math.Max(Math.Abs(Slope), Math.Abs(Exact)));
}
