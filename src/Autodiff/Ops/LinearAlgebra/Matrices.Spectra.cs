namespace Convoy.Autodiff.Ops;

// Eigenvalues and singular values by Jacobi rotations.
internal static partial class Matrices
{
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
}
