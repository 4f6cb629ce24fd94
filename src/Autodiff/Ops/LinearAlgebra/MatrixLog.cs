using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = ln x of the last two dimensions, e^y = x, with eigenvalues in (-π, π) i        x_..NN -> y_..NN
// dx = the upper right block of ln [[xᵀ, dy], [0, xᵀ]] (Mathias 1996)
// A matrix with an eigenvalue on the negative real axis, or 0, has no such logarithm: NaN.
internal sealed class MatrixLog : MatrixFunction
{
    public override string Name => "matrix-log";

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes) =>
        MatrixLogarithm.Run(inputs[0], shapes[0].Shape[-1], outputs[0]);
}

/// <summary>
/// ln a by square roots until a is near 1, a Gauss quadrature there, and doubling back (Higham, Functions of Matrices,
/// 2008, chapter 11: inverse scaling and squaring).
/// </summary>
internal static class MatrixLogarithm
{
    private const int RootsMax = 60;
    private const int StepsMax = 60;
    // With a distance under 1/4 the eight-point rule is exact to the last digits of float64.
    private const double Near = 0.25;

    // Nodes and weights of Gauss and Legendre on [0, 1], eight points: symmetric around 1/2.
    private static readonly (double Distance, double Weight)[] Half =
    [
        (0.0917173212478249, 0.1813418916891810), (0.2627662049581645, 0.1568533229389436),
        (0.3983332387068134, 0.1111905172266872), (0.4801449282487681, 0.0506142681451881),
    ];

    public static void Run(ReadOnlySpan<double> a, int n, Span<double> y)
    {
        var x = a.ToArray();
        var roots = 0;
        for (; !(Distance(x, n) < Near); roots++)
        {
            if (roots == RootsMax || !Root(x, n))
            {
                y.Fill(double.NaN);
                return;
            }
        }

        // ln(1 + d) = ∫ d (1 + t d)⁻¹ dt over [0, 1]
        var d = x;
        for (var i = 0; i < n; i++) d[(i * n) + i] -= 1;
        var (shifted, part) = (new double[n * n], new double[n * n]);
        y.Clear();
        foreach (var (distance, weight) in Half)
        {
            for (var side = -1; side <= 1; side += 2)
            {
                var t = 0.5 + (side * distance);
                for (var i = 0; i < shifted.Length; i++) shifted[i] = t * d[i];
                for (var i = 0; i < n; i++) shifted[(i * n) + i] += 1;
                if (!Matrices.Solve(shifted, n, d, n, part))
                {
                    y.Fill(double.NaN);
                    return;
                }

                for (var i = 0; i < part.Length; i++) y[i] += weight * part[i];
            }
        }

        var scale = Math.ScaleB(1, roots);
        for (var i = 0; i < y.Length; i++) y[i] *= scale;
    }

    // The principal root in place, by the iteration of Denman and Beavers: y -> √a, z -> 1/√a.
    private static bool Root(double[] a, int n)
    {
        var (y, z) = (a.ToArray(), new double[n * n]);
        for (var i = 0; i < n; i++) z[(i * n) + i] = 1;
        var one = z.ToArray();
        var (inverseY, inverseZ) = (new double[n * n], new double[n * n]);
        var before = double.PositiveInfinity;
        for (var step = 0; step < StepsMax; step++)
        {
            if (!Matrices.Solve(y, n, one, n, inverseY) || !Matrices.Solve(z, n, one, n, inverseZ)) return false;
            double change = 0, size = 0;
            for (var i = 0; i < y.Length; i++)
            {
                var next = (y[i] + inverseZ[i]) / 2;
                (change, size) = (change + Math.Abs(next - y[i]), size + Math.Abs(next));
                z[i] = (z[i] + inverseY[i]) / 2;
                y[i] = next;
            }

            if (!double.IsFinite(size)) return false;
            // Convergence is quadratic: below this the next step is rounding, and once steps grow again they are
            // rounding too.
            if (change <= 1e-15 * size || (change <= 1e-9 * size && change >= before))
            {
                y.CopyTo(a, 0);
                return true;
            }

            before = change;
        }

        return false;
    }

    private static double Distance(double[] a, int n)
    {
        var most = 0.0;
        for (var i = 0; i < n; i++)
        {
            var row = 0.0;
            for (var j = 0; j < n; j++) row += Math.Abs(a[(i * n) + j] - (i == j ? 1 : 0));
            // Math.Max would hide a NaN only if it came second; this keeps it either way.
            most = row > most || double.IsNaN(row) ? row : most;
        }

        return most;
    }
}
