using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Optim.SecondOrder;

/// <summary>How a Newton step is taken.</summary>
/// <param name="Damping">Added to the diagonal of the Hessian; 0 or more.</param>
/// <param name="ProductsMax">Products with the Hessian at most.</param>
/// <param name="Decrease">Share of the decrease that the slope promises, which a step has to make (Armijo).</param>
/// <param name="Unsolved">
/// Share of the gradient that the equation may leave far from a minimum; less near one. A half, the usual choice for
/// costly products, is met by one step down the gradient in a bent valley, and crawls there.
/// </param>
/// <param name="HalvingsMax">How often a step that does not is halved before it is given up.</param>
public sealed record NewtonOptions(
    double Damping = 0, int ProductsMax = 100, double Decrease = 1e-4, double Unsolved = 1e-3,
    int HalvingsMax = 30);

/// <summary>Why the direction of a Newton step was good enough.</summary>
public enum NewtonEnd
{
    /// <summary>The equation H d = -g is solved as far as the gradient asks for.</summary>
    Solved,
    /// <summary>The loss is not convex in a direction that was met.</summary>
    NegativeCurvature,
    /// <summary>No more products with the Hessian are allowed.</summary>
    ProductsMax,
}

/// <summary>What a Newton step did.</summary>
/// <param name="Before">The loss before it.</param>
/// <param name="After">The loss after it: less, or the same when no step was found.</param>
/// <param name="GradientNorm">Before it.</param>
/// <param name="Products">With the Hessian.</param>
/// <param name="Length">The factor of the Newton direction: 1, a half, a quarter …; 0 when no step was found.</param>
/// <param name="End">How the direction was found.</param>
public sealed record NewtonReport(
    double Before, double After, double GradientNorm, int Products, double Length, NewtonEnd End);

/// <summary>
/// OPTIM-07: Newton's method with conjugate gradients and a line search (Nocedal and Wright 2006, algorithm 7.1). The
/// equation (H + damping) d = -g is solved by products with H alone, the more exactly the smaller the gradient is, so
/// the last steps converge faster than in a line; directions in which the loss is not convex end the search early.
/// </summary>
public static class NewtonStep
{
    /// <summary>The parameters after one step, of the same shapes and element types.</summary>
    public static (IReadOnlyList<Tensor> Next, NewtonReport Report) Run(
        Func<Variable[], Variable> loss, IReadOnlyList<Tensor> parameters, NewtonOptions? options = null)
    {
        options ??= new NewtonOptions();
        if (!(options.Damping >= 0)) throw new ArgumentException($"damping is 0 or more, not {options.Damping}");
        var here = new LossAt(loss, parameters);
        var norm = Math.Sqrt(Dot(here.Gradient, here.Gradient));
        if (norm == 0)
            return (parameters, new NewtonReport(here.Value, here.Value, 0, 0, 0, NewtonEnd.Solved));

        var (direction, end) = Direction(here, norm, options);
        var (next, after, length) = Search(loss, here, direction, options, parameters);
        return (next, new NewtonReport(here.Value, after, norm, here.Products, length, end));
    }

    private static (double[] Direction, NewtonEnd End) Direction(LossAt here, double norm, NewtonOptions options)
    {
        var tolerance = Math.Min(options.Unsolved, Math.Sqrt(norm)) * norm;
        var found = new double[here.Count];
        double[] rest = [.. here.Gradient];
        double[] along = [.. rest.Select(v => -v)];
        var restNorm = Dot(rest, rest);
        for (var k = 0; k < options.ProductsMax; k++)
        {
            var product = here.HessianVector(along);
            for (var i = 0; i < product.Length; i++) product[i] += options.Damping * along[i];
            var curvature = Dot(along, product);
            // Down along what was found so far; along the gradient when that is nothing.
            if (!(curvature > 0)) return (k == 0 ? along : found, NewtonEnd.NegativeCurvature);
            var step = restNorm / curvature;
            for (var i = 0; i < found.Length; i++)
            {
                found[i] += step * along[i];
                rest[i] += step * product[i];
            }

            var next = Dot(rest, rest);
            if (Math.Sqrt(next) <= tolerance) return (found, NewtonEnd.Solved);
            for (var i = 0; i < along.Length; i++) along[i] = -rest[i] + (next / restNorm * along[i]);
            restNorm = next;
        }

        return (found, NewtonEnd.ProductsMax);
    }

    private static (IReadOnlyList<Tensor> Next, double Loss, double Length) Search(
        Func<Variable[], Variable> loss, LossAt here, double[] direction, NewtonOptions options,
        IReadOnlyList<Tensor> parameters)
    {
        var slope = Dot(here.Gradient, direction);
        var length = 1.0;
        using var scope = GradientMode.Off();
        for (var k = 0; k <= options.HalvingsMax; k++, length /= 2)
        {
            var there = here.Moved(direction, length);
            var value = loss([.. there.Select(t => new Variable(t))]).Data.At();
            if (value <= here.Value + (options.Decrease * length * slope)) return (there, value, length);
        }

        return (parameters, here.Value, 0);
    }

    private static double Dot(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Count; i++) sum += a[i] * b[i];
        return sum;
    }
}

/// <summary>
/// OPTIM-07: gradient descent in which each element is divided by the size of its own second derivative: x -= rate
/// g / max(|H_ii|, floor). Sizes, because a negative one would climb.
/// </summary>
/// <param name="rate">1 jumps to the minimum of a loss with a diagonal Hessian.</param>
/// <param name="floor">Above 0; bounds the step where the loss is flat.</param>
/// <param name="probes">Random vectors the diagonal is estimated with; 0 takes it exactly, one product per
/// element.</param>
/// <param name="seed">Of the random vectors.</param>
public sealed class DiagonalNewton(double rate = 1, double floor = 1e-4, int probes = 0, ulong seed = 0)
{
    /// <summary>Steps taken so far.</summary>
    public long Steps { get; private set; }

    /// <summary>The parameters after one step, and the loss before it.</summary>
    public (IReadOnlyList<Tensor> Next, double Before) Step(
        Func<Variable[], Variable> loss, IReadOnlyList<Tensor> parameters)
    {
        if (!(floor > 0)) throw new ArgumentException($"the floor of second derivatives is above 0, not {floor}");
        var here = new LossAt(loss, parameters);
        var diagonal = probes == 0 ? here.HessianDiagonal() : here.EstimateDiagonal(probes, seed, Steps);
        Steps++;
        for (var i = 0; i < diagonal.Length; i++)
            diagonal[i] = -here.Gradient[i] / Math.Max(Math.Abs(diagonal[i]), floor);
        return (here.Moved(diagonal, rate), here.Value);
    }
}
