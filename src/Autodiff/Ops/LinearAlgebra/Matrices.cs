namespace Convoy.Autodiff.Ops;

/// <summary>
/// Factorizations of one matrix, row-major, in float64 for both element types. Small and exact before fast: Jacobi
/// rotations converge to full precision (Golub and Van Loan, chapters 3, 5, 8).
/// </summary>
internal static class Matrices
{
    private const int SweepsMax = 60;

    public static double[] Symmetric(ReadOnlySpan<double> a, int n)
    {
        var symmetric = new double[n * n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++) symmetric[(i * n) + j] = (a[(i * n) + j] + a[(j * n) + i]) / 2;
        return symmetric;
    }

    /// <summary>P a = L U in place with row exchanges; the sign of P, or 0 when a is singular.</summary>
    public static int Lu(Span<double> a, int n, Span<int> order)
    {
        var sign = 1;
        for (var i = 0; i < n; i++) order[i] = i;
        for (var k = 0; k < n; k++)
        {
            var pivot = k;
            for (var i = k + 1; i < n; i++)
                if (Math.Abs(a[(i * n) + k]) > Math.Abs(a[(pivot * n) + k])) pivot = i;
            if (a[(pivot * n) + k] == 0) return 0;
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

    /// <summary>x of a x = b, with columns; false when a is singular.</summary>
    public static bool Solve(ReadOnlySpan<double> a, int n, ReadOnlySpan<double> b, int columns, Span<double> x)
    {
        var lu = a.ToArray();
        var order = new int[n];
        if (Lu(lu, n, order) == 0) return false;
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

    /// <summary>
    /// Eigenvalues (ascending) and orthonormal eigenvectors (columns) of a symmetric matrix: Jacobi's method.
    /// </summary>
    public static void Eigen(ReadOnlySpan<double> symmetric, int n, Span<double> values, Span<double> vectors)
    {
        var a = symmetric.ToArray();
        var v = new double[n * n];
        for (var i = 0; i < n; i++) v[(i * n) + i] = 1;
        for (var sweep = 0; sweep < SweepsMax; sweep++)
        {
            var rotated = false;
            for (var p = 0; p < n; p++)
                for (var q = p + 1; q < n; q++) rotated |= Rotate(a, v, n, p, q);
            if (!rotated) break;
        }

        var order = new int[n];
        for (var i = 0; i < n; i++) order[i] = i;
        Array.Sort(order,
            (i, j) => a[(i * n) + i] != a[(j * n) + j] ? a[(i * n) + i].CompareTo(a[(j * n) + j]) : i.CompareTo(j));
        for (var j = 0; j < n; j++)
        {
            values[j] = a[(order[j] * n) + order[j]];
            for (var i = 0; i < n; i++) vectors[(i * n) + j] = v[(i * n) + order[j]];
        }

        for (var j = 0; j < n; j++) FixSign(vectors, n, n, j, default, 0);
    }

    private static bool Rotate(double[] a, double[] v, int n, int p, int q)
    {
        var apq = a[(p * n) + q];
        if (apq == 0 || Math.Abs(apq) < 1e-300) return false;
        if (Math.Abs(apq) <= 1e-17 * Math.Sqrt(Math.Abs(a[(p * n) + p] * a[(q * n) + q]))) return false;
        var theta = (a[(q * n) + q] - a[(p * n) + p]) / (2 * apq);
        var t = (theta < 0 ? -1 : 1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var c = 1 / Math.Sqrt((t * t) + 1);
        var s = t * c;
        for (var i = 0; i < n; i++)
        {
            var (x, y) = (a[(i * n) + p], a[(i * n) + q]);
            (a[(i * n) + p], a[(i * n) + q]) = ((c * x) - (s * y), (s * x) + (c * y));
        }

        for (var i = 0; i < n; i++)
        {
            var (x, y) = (a[(p * n) + i], a[(q * n) + i]);
            (a[(p * n) + i], a[(q * n) + i]) = ((c * x) - (s * y), (s * x) + (c * y));
            (x, y) = (v[(i * n) + p], v[(i * n) + q]);
            (v[(i * n) + p], v[(i * n) + q]) = ((c * x) - (s * y), (s * x) + (c * y));
        }

        (a[(p * n) + q], a[(q * n) + p]) = (0, 0);
        return true;
    }

    /// <summary>a (m x n, m ≥ n) = u diag(s) vᵀ, s descending: one-sided Jacobi on the columns of a.</summary>
    public static void Svd(ReadOnlySpan<double> a, int m, int n, Span<double> u, Span<double> s, Span<double> v)
    {
        var w = a.ToArray();
        var right = new double[n * n];
        for (var i = 0; i < n; i++) right[(i * n) + i] = 1;
        for (var sweep = 0; sweep < SweepsMax; sweep++)
        {
            var rotated = false;
            for (var p = 0; p < n; p++)
                for (var q = p + 1; q < n; q++) rotated |= Orthogonalize(w, right, m, n, p, q);
            if (!rotated) break;
        }

        var lengths = new double[n];
        for (var j = 0; j < n; j++)
        {
            for (var i = 0; i < m; i++) lengths[j] += w[(i * n) + j] * w[(i * n) + j];
            lengths[j] = Math.Sqrt(lengths[j]);
        }

        var order = new int[n];
        for (var i = 0; i < n; i++) order[i] = i;
        Array.Sort(order, (i, j) => lengths[i] != lengths[j] ? lengths[j].CompareTo(lengths[i]) : i.CompareTo(j));
        for (var j = 0; j < n; j++)
        {
            var from = order[j];
            s[j] = lengths[from];
            for (var i = 0; i < m; i++) u[(i * n) + j] = lengths[from] == 0 ? 0 : w[(i * n) + from] / lengths[from];
            for (var i = 0; i < n; i++) v[(i * n) + j] = right[(i * n) + from];
            FixSign(v, n, n, j, u, m);
        }
    }

    private static bool Orthogonalize(double[] w, double[] v, int m, int n, int p, int q)
    {
        var (pp, qq, pq) = (0.0, 0.0, 0.0);
        for (var i = 0; i < m; i++)
        {
            var (x, y) = (w[(i * n) + p], w[(i * n) + q]);
            (pp, qq, pq) = (pp + (x * x), qq + (y * y), pq + (x * y));
        }

        if (pq == 0 || Math.Abs(pq) <= 1e-16 * Math.Sqrt(pp * qq)) return false;
        var theta = (qq - pp) / (2 * pq);
        var t = (theta < 0 ? -1 : 1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var c = 1 / Math.Sqrt((t * t) + 1);
        var s = t * c;
        for (var i = 0; i < m; i++)
        {
            var (x, y) = (w[(i * n) + p], w[(i * n) + q]);
            (w[(i * n) + p], w[(i * n) + q]) = ((c * x) - (s * y), (s * x) + (c * y));
        }

        for (var i = 0; i < n; i++)
        {
            var (x, y) = (v[(i * n) + p], v[(i * n) + q]);
            (v[(i * n) + p], v[(i * n) + q]) = ((c * x) - (s * y), (s * x) + (c * y));
        }

        return true;
    }

    // A column and its negative serve alike; the one whose largest element is positive is the same on every machine.
    private static void FixSign(Span<double> columns, int rows, int n, int j, Span<double> partner, int partnerRows)
    {
        var top = 0.0;
        for (var i = 0; i < rows; i++)
            if (Math.Abs(columns[(i * n) + j]) > Math.Abs(top) + 1e-12) top = columns[(i * n) + j];
        if (top >= 0) return;
        for (var i = 0; i < rows; i++) columns[(i * n) + j] = -columns[(i * n) + j];
        for (var i = 0; i < partnerRows; i++) partner[(i * n) + j] = -partner[(i * n) + j];
    }

    /// <summary>
    /// e^a by halving until its norm is under a half, eighteen terms of the series, and squaring back.
    /// </summary>
    public static void Exp(ReadOnlySpan<double> a, int n, Span<double> y)
    {
        var norm = 0.0;
        for (var i = 0; i < n; i++)
        {
            var row = 0.0;
            for (var j = 0; j < n; j++) row += Math.Abs(a[(i * n) + j]);
            norm = Math.Max(norm, row);
        }

        if (!double.IsFinite(norm))
        {
            y.Fill(double.NaN);
            return;
        }

        var halvings = norm <= 0.5 ? 0 : (int)Math.Ceiling(Math.Log2(norm / 0.5));
        var scaled = a.ToArray();
        var scale = Math.ScaleB(1, -halvings);
        for (var i = 0; i < scaled.Length; i++) scaled[i] *= scale;
        var power = new double[n * n];
        y.Clear();
        for (var i = 0; i < n; i++) (power[(i * n) + i], y[(i * n) + i]) = (1, 1);
        for (var term = 1; term <= 18; term++)
        {
            power = Product(power, scaled, n);
            for (var i = 0; i < power.Length; i++) y[i] += power[i] /= term;
        }

        for (var h = 0; h < halvings; h++) Product(y, y, n).CopyTo(y);
    }

    private static double[] Product(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int n)
    {
        var c = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < n; k++)
            {
                var x = a[(i * n) + k];
                for (var j = 0; j < n; j++) c[(i * n) + j] += x * b[(k * n) + j];
            }
        }

        return c;
    }
}
