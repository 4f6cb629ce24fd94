using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Numerical;

/// <summary>A matrix of derivatives from values of a function.</summary>
/// <param name="Value">Of shape [f(x)'s shape, x's shape], float64.</param>
/// <param name="ErrorMax">The largest estimate of an element's error; NaN of methods that have none.</param>
/// <param name="Asymmetry">Of a Hessian before it was made symmetric: the largest |h_ij - h_ji|; 0 of a
/// Jacobian.</param>
public sealed record NumericalMatrix(Tensor Value, double ErrorMax, double Asymmetry);

/// <summary>HO-03: Jacobians and Hessians by differences, to check those of the tape. For small x: float64.</summary>
public static class NumericalMatrices
{
    /// <summary>d f_i / d x_j; the step of each x_j is chosen for it.</summary>
    public static NumericalMatrix Jacobian(
        Func<Variable, Variable> f, Tensor x, NumericalMethod method = NumericalMethod.Richardson) =>
        Differences(t => f(new Variable(t)).Data, x, method);

    /// <summary>
    /// d² f / d x_i d x_j of a function with one number as its result: differences of its gradient, made symmetric.
    /// </summary>
    public static NumericalMatrix Hessian(
        Func<Variable, Variable> f, Tensor x, NumericalMethod method = NumericalMethod.Richardson)
    {
        var plain = Differences(t => Derivatives.Gradient(f, t), x, method);
        var (value, asymmetry) = Symmetry.Enforce(plain.Value);
        return plain with { Value = value, Asymmetry = asymmetry };
    }

    private static NumericalMatrix Differences(Func<Tensor, Tensor> f, Tensor x, NumericalMethod method)
    {
        if (x.DType != DType.Float64) throw new ShapeException($"differences are taken in float64, not of {x.Type}");
        var y = f(x);
        var (rows, columns) = ((int)y.Count, (int)x.Count);
        var matrix = Tensor.Empty(DType.Float64, new Shape([.. y.Shape.Dims, .. x.Shape.Dims]));
        var values = matrix.Writable<double>();
        var at = x.ToArray<double>();
        var worst = 0.0;
        for (var j = 0; j < columns; j++)
        {
            // Values at one place serve all rows: the rows of a column ask for the same places.
            var known = new Dictionary<double, double[]>();
            for (var i = 0; i < rows; i++)
            {
                var (row, column) = (i, j);
                var slope = NumericalDerivative.At(to => Known(known, at, column, to, x, f)[row], at[j], method);
                values[(i * columns) + j] = slope.Value;
                worst = double.IsNaN(slope.Error) ? double.NaN : Math.Max(worst, slope.Error);
            }
        }

        return new NumericalMatrix(matrix, worst, 0);
    }

    private static double[] Known(
        Dictionary<double, double[]> known, double[] at, int column, double to, Tensor x, Func<Tensor, Tensor> f)
    {
        if (known.TryGetValue(to, out var found)) return found;
        double[] moved = [.. at];
        moved[column] = to;
        return known[to] = f(Tensor.Of<double>(moved, x.Shape)).ToArray<double>();
    }
}
