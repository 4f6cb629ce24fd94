namespace Convoy.Autodiff.Ops;

/// <summary>
/// Factorizations of one matrix, row-major, in float64 for both element types. Small and exact before fast: Jacobi
/// rotations converge to full precision (Golub and Van Loan, chapters 3, 5, 8).
/// </summary>
internal static partial class Matrices
{
    private const int SweepsMax = 60;

    public static double[] Symmetric(ReadOnlySpan<double> a, int n)
    {
        var symmetric = new double[n * n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++) symmetric[(i * n) + j] = (a[(i * n) + j] + a[(j * n) + i]) / 2;
        return symmetric;
    }

    /// <summary>P a = L U in place with row exchanges, and the sign of P; a column without a pivot has a 0 on the
    /// diagonal of U, and zeros below it in L.</summary>
    public static int Lu(Span<double> a, int n, Span<int> order)
    {
        var sign = 1;
        for (var i = 0; i < n; i++) order[i] = i;
        for (var k = 0; k < n; k++)
        {
            var pivot = k;
            for (var i = k + 1; i < n; i++)
                if (Math.Abs(a[(i * n) + k]) > Math.Abs(a[(pivot * n) + k])) pivot = i;
            if (a[(pivot * n) + k] == 0) continue;
            if (pivot != k)
            {
                sign = -sign;
                (order[k], order[pivot]) = (order[pivot], order[k]);
                for (var j = 0; j < n; j++) (a[(k * n) + j], a[(pivot * n) + j]) = (a[(pivot * n) + j], a[(k * n) + j]);
            }

            for (var i = k + 1; i < n; i++)
            {
                var factor = a[(i * n) + k] /= a[(k * n) + k];
                for (var j = k + 1; j < n; j++) a[(i * n) + j] -= factor * a[(k * n) + j];
            }
        }

        return sign;
    }

    /// <summary>The product of the pivots, kept apart from its power of two: it overflows only if the result
    /// does.</summary>
    public static double Determinant(ReadOnlySpan<double> a, int n)
    {
        var lu = a.ToArray();
        double product = Lu(lu, n, new int[n]);
        var power = 0;
        for (var i = 0; i < n; i++)
        {
            product *= lu[(i * n) + i];
            if (product == 0 || !double.IsFinite(product)) return product;
            var scale = Math.ILogB(product);
            (product, power) = (Math.ScaleB(product, -scale), power + scale);
        }

        return Math.ScaleB(product, power);
    }

    /// <summary>x of a x = b, with columns; false when a is singular.</summary>
    public static bool Solve(ReadOnlySpan<double> a, int n, ReadOnlySpan<double> b, int columns, Span<double> x)
    {
        var lu = a.ToArray();
        var order = new int[n];
        Lu(lu, n, order);
        for (var i = 0; i < n; i++)
            if (lu[(i * n) + i] == 0) return false;
        for (var c = 0; c < columns; c++)
        {
            for (var i = 0; i < n; i++)
            {
                var sum = b[(order[i] * columns) + c];
                for (var j = 0; j < i; j++) sum -= lu[(i * n) + j] * x[(j * columns) + c];
                x[(i * columns) + c] = sum;
            }

            for (var i = n - 1; i >= 0; i--)
            {
                var sum = x[(i * columns) + c];
                for (var j = i + 1; j < n; j++) sum -= lu[(i * n) + j] * x[(j * columns) + c];
                x[(i * columns) + c] = sum / lu[(i * n) + i];
            }
        }

        return true;
    }

    /// <summary>The lower L with L Lᵀ = a; false when a is not positive definite.</summary>
    public static bool Cholesky(ReadOnlySpan<double> a, int n, Span<double> l)
    {
        l.Clear();
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var sum = a[(i * n) + j];
                for (var k = 0; k < j; k++) sum -= l[(i * n) + k] * l[(j * n) + k];
                if (i != j) l[(i * n) + j] = sum / l[(j * n) + j];
                else if (sum > 0) l[(i * n) + i] = Math.Sqrt(sum);
                else return false;
            }
        }

        return true;
    }

    /// <summary>
    /// a (m x n, m ≥ n) = q r with a positive diagonal of r, by Gram and Schmidt, each column orthogonalized twice.
    /// </summary>
    public static bool Qr(ReadOnlySpan<double> a, int m, int n, Span<double> q, Span<double> r)
    {
        a.CopyTo(q);
        r.Clear();
        for (var j = 0; j < n; j++)
        {
            for (var pass = 0; pass < 2; pass++)
            {
                for (var k = 0; k < j; k++)
                {
                    var dot = 0.0;
                    for (var i = 0; i < m; i++) dot += q[(i * n) + k] * q[(i * n) + j];
                    r[(k * n) + j] += dot;
                    for (var i = 0; i < m; i++) q[(i * n) + j] -= dot * q[(i * n) + k];
                }
            }

            var length = 0.0;
            for (var i = 0; i < m; i++) length += q[(i * n) + j] * q[(i * n) + j];
            length = Math.Sqrt(length);
            if (length == 0) return false;
            r[(j * n) + j] = length;
            for (var i = 0; i < m; i++) q[(i * n) + j] /= length;
        }

        return true;
    }
}
