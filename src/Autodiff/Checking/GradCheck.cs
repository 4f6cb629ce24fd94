using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>How far gradients are from finite differences, for one input.</summary>
public sealed record GradCheckResult(int Input, double AbsoluteMax, double RelativeMax, int Worst, int Checked)
{
    public override string ToString() =>
        $"input {Input}: {Checked} elements, at most {AbsoluteMax:e2} absolute, {RelativeMax:e2} relative, at element {Worst}";
}

public sealed record GradCheckOptions(
    double Epsilon = 1e-6, double RelativeTolerance = 1e-6, double AbsoluteTolerance = 1e-8, bool Central = true);

/// <summary>
/// Compares gradients with finite differences in float64. The results of the function are weighted with fixed numbers, so
/// that every one of them is checked and none cancels.
/// </summary>
public static class GradCheck
{
    public static IReadOnlyList<GradCheckResult> Run(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, GradCheckOptions? options = null)
    {
        options ??= new GradCheckOptions();
        Variable[] variables = [.. inputs.Select(t => new Variable(t.Copy(), IsChecked(t)))];
        var output = function(variables);
        var weights = Weights(output.Data.Shape);
        Variable[] wanted = [.. variables.Where(v => v.RequiresGradient)];
        var gradients = Differentiate.Gradient([output], wanted, [new Variable(weights)]);

        var results = new List<GradCheckResult>();
        for (int i = 0, at = 0; i < inputs.Count; i++)
            if (IsChecked(inputs[i])) results.Add(Compare(function, inputs, i, gradients[at++].Data, weights, options));
        return results;
    }

    /// <summary>True when every element is within the absolute or the relative tolerance.</summary>
    public static bool Passes(GradCheckResult result, GradCheckOptions? options = null)
    {
        options ??= new GradCheckOptions();
        return result.AbsoluteMax <= options.AbsoluteTolerance || result.RelativeMax <= options.RelativeTolerance;
    }

    private static bool IsChecked(Tensor tensor) => tensor.DType == DType.Float64;

    private static GradCheckResult Compare(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, int input, Tensor gradient, Tensor weights,
        GradCheckOptions options)
    {
        var exact = gradient.ToArray<double>();
        var (absolute, relative, worst) = (0.0, 0.0, 0);
        for (var k = 0; k < exact.Length; k++)
        {
            var slope = Slope(function, inputs, input, k, weights, options);
            var error = Math.Abs(slope - exact[k]);
            if (!(error <= absolute)) (absolute, worst) = (double.IsNaN(error) ? double.PositiveInfinity : error, k);
            // Against 1 when the gradient is small: a difference quotient knows no better.
            relative = Math.Max(relative, error / Math.Max(1, Math.Max(Math.Abs(slope), Math.Abs(exact[k]))));
        }

        return new GradCheckResult(input, absolute, relative, worst, exact.Length);
    }

    private static double Slope(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, int input, int element, Tensor weights,
        GradCheckOptions options)
    {
        var up = Shifted(function, inputs, input, element, options.Epsilon, weights);
        if (!options.Central) return (up - Shifted(function, inputs, input, element, 0, weights)) / options.Epsilon;
        var down = Shifted(function, inputs, input, element, -options.Epsilon, weights);
        return (up - down) / (2 * options.Epsilon);
    }

    private static double Shifted(
        Func<Variable[], Variable> function, IReadOnlyList<Tensor> inputs, int input, int element, double by,
        Tensor weights)
    {
        // Recording stays on: a function may differentiate inside, and nothing here asks for a gradient.
        Variable[] variables = [.. inputs.Select((t, i) => new Variable(i == input ? t.Copy() : t))];
        variables[input].Data.Writable<double>()[element] += by;
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
