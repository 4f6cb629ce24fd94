using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// References of linear algebra for the small matrices of the samples: minors, roots of characteristic polynomials.
internal static partial class References
{
    private static void AddMatrices(Dictionary<Op, Reference> known)
    {
        void M(Op op, Func<double[,], int[], double> f) =>
            known[op] = (s, i) => f(Matrix(s.Inputs[0], i[..(s.Inputs[0].Rank - 2)]), i[(s.Inputs[0].Rank - 2)..]);
        M(OpTable.Inverse, (a, i) => Cofactor(a, i[1], i[0]) / Determinant(a));
        M(OpTable.Determinant, (a, _) => Determinant(a));
        M(OpTable.Cofactor, (a, i) => Cofactor(a, i[0], i[1]));
        M(OpTable.LogDet, (a, _) => Series.Ln(Determinant(a)));
        M(OpTable.SignLogDet, (a, _) => Math.Sign(Determinant(a)));
        M(OpTable.MatrixExp, (a, i) => Exponential(a)[i[0], i[1]]);
        M(OpTable.MatrixLog, (a, i) => Logarithm(a, i[0], i[1]));
        M(OpTable.Cholesky, (a, i) => i[1] > i[0] ? 0 : Factor(a, i[0], i[1]));
        M(OpTable.Qr, (a, i) =>
        {
            // r = (the Cholesky factor of aᵀa)ᵀ, q = a r⁻¹
            var (gram, n) = (Gram(a), a.GetLength(1));
            var r = new double[n, n];
            for (var p = 0; p < n; p++)
                for (var q = p; q < n; q++) r[p, q] = Factor(gram, q, p);
            return Enumerable.Range(0, n).Sum(k => a[i[0], k] * Cofactor(r, i[1], k)) / Determinant(r);
        });
        M(OpTable.Eigh, (a, i) => Roots(Symmetric(a))[i[0]]);
        M(OpTable.Svd, (a, i) => LeftVector(a, i[0], i[1]));
        M(OpTable.FrobeniusNorm, (a, _) => Math.Sqrt(a.Cast<double>().Sum(v => v * v)));
        M(OpTable.NuclearNorm, (a, _) => Roots(Gram(a)).Sum(Math.Sqrt));
        M(OpTable.SpectralNorm, (a, _) => Math.Sqrt(Roots(Gram(a))[^1]));
        known[OpTable.Solve] = (s, i) =>
        {
            // Cramer's rule.
            var lead = s.Inputs[0].Rank - 2;
            var (a, n) = (Matrix(s.Inputs[0], i[..lead]), s.Inputs[0].Shape[-1]);
            var replaced = (double[,])a.Clone();
            for (var r = 0; r < n; r++)
                replaced[r, i[lead]] = s.Inputs[1].At([.. i[..lead], r, .. i[(lead + 1)..]]);
            return Determinant(replaced) / Determinant(a);
        };
    }

    // ∫ (a - 1) (1 + t (a - 1))⁻¹ dt over [0, 1], by Simpson's rule.
    private static double Logarithm(double[,] a, int row, int column)
    {
        const int Panels = 4_000;
        var n = a.GetLength(0);
        double At(double t)
        {
            var m = new double[n, n];
            for (var r = 0; r < n; r++)
                for (var c = 0; c < n; c++) m[r, c] = (t * (a[r, c] - (r == c ? 1 : 0))) + (r == c ? 1 : 0);
            var sum = 0.0;
            for (var k = 0; k < n; k++) sum += (a[row, k] - (row == k ? 1 : 0)) * Cofactor(m, column, k);
            return sum / Determinant(m);
        }

        var (odd, even) = (0.0, 0.0);
        for (var i = 1; i < Panels; i++)
        {
            if (i % 2 == 1) odd += At((double)i / Panels);
            else even += At((double)i / Panels);
        }

        return (At(0) + At(1) + (4 * odd) + (2 * even)) / (3 * Panels);
    }

    private static double[,] Matrix(Tensor x, int[] lead)
    {
        var a = new double[x.Shape[-2], x.Shape[-1]];
        for (var r = 0; r < a.GetLength(0); r++)
            for (var c = 0; c < a.GetLength(1); c++) a[r, c] = x.At([.. lead, r, c]);
        return a;
    }

    private static double Determinant(double[,] a)
    {
        var n = a.GetLength(0);
        return n == 0 ? 1 : Enumerable.Range(0, n).Sum(c => a[0, c] * Cofactor(a, 0, c));
    }

    private static double Cofactor(double[,] a, int row, int column)
    {
        var n = a.GetLength(0);
        var minor = new double[n - 1, n - 1];
        for (var r = 0; r < n - 1; r++)
            for (var c = 0; c < n - 1; c++) minor[r, c] = a[r < row ? r : r + 1, c < column ? c : c + 1];
        return ((row + column) % 2 == 0 ? 1 : -1) * Determinant(minor);
    }

    // Element of the Cholesky factor as a quotient of minors.
    private static double Factor(double[,] a, int row, int column)
    {
        double Minor(int size, int last)
        {
            var minor = new double[size, size];
            for (var r = 0; r < size; r++)
                for (var c = 0; c < size; c++) minor[r, c] = a[r == size - 1 ? last : r, c];
            return Determinant(minor);
        }

        return Minor(column + 1, row) / Math.Sqrt(Minor(column + 1, column) * Minor(column, column - 1));
    }

    private static double[,] Gram(double[,] a)
    {
        var n = a.GetLength(1);
        var gram = new double[n, n];
        for (var p = 0; p < n; p++)
            for (var q = 0; q < n; q++)
                for (var k = 0; k < a.GetLength(0); k++) gram[p, q] += a[k, p] * a[k, q];
        return gram;
    }

    private static double[,] Transposed(double[,] a)
    {
        var t = new double[a.GetLength(1), a.GetLength(0)];
        for (var r = 0; r < t.GetLength(0); r++)
            for (var c = 0; c < t.GetLength(1); c++) t[r, c] = a[c, r];
        return t;
    }

    private static double[,] Symmetric(double[,] a)
    {
        var (t, s) = (Transposed(a), new double[a.GetLength(0), a.GetLength(0)]);
        for (var r = 0; r < s.GetLength(0); r++)
            for (var c = 0; c < s.GetLength(0); c++) s[r, c] = (a[r, c] + t[r, c]) / 2;
        return s;
    }

    private static double[,] Shifted(double[,] a, double by)
    {
        var b = (double[,])a.Clone();
        for (var i = 0; i < b.GetLength(0); i++) b[i, i] -= by;
        return b;
    }

    // Eigenvalues of a symmetric matrix in ascending order: sign changes of det(a - w) on a fine grid, then halving.
    private static double[] Roots(double[,] a)
    {
        var bound = 1 + a.Cast<double>().Sum(Math.Abs);
        var roots = new List<double>();
        const int Steps = 20_000;
        for (var k = 0; k < Steps; k++)
        {
            var (low, high) = (-bound + (2 * bound * k / Steps), -bound + (2 * bound * (k + 1) / Steps));
            var atLow = Determinant(Shifted(a, low));
            if (Math.Sign(atLow) == Math.Sign(Determinant(Shifted(a, high)))) continue;
            for (var h = 0; h < 80; h++)
            {
                var middle = (low + high) / 2;
                if (Math.Sign(Determinant(Shifted(a, middle))) == Math.Sign(atLow)) low = middle;
                else high = middle;
            }

            roots.Add(low);
        }

        return [.. roots];
    }

    private static double LeftVector(double[,] a, int row, int column)
    {
        var wide = a.GetLength(0) < a.GetLength(1);
        var tall = wide ? Transposed(a) : a;
        var gram = Gram(tall);
        var n = gram.GetLength(0);
        var value = Roots(gram)[n - 1 - column];
        // Any row of cofactors of a singular matrix is its null vector; the largest is the most exact.
        var shifted = Shifted(gram, value);
        var v = Enumerable.Range(0,
            n).Select(r => Enumerable.Range(0, n).Select(c => Cofactor(shifted, r, c)).ToArray())
            .MaxBy(x => x.Sum(c => c * c))!;
        var length = Math.Sqrt(v.Sum(c => c * c)) * Math.Sign(v.MaxBy(Math.Abs));
        v = [.. v.Select(c => c / length)];
        return wide ? v[row] : v.Select((c, k) => a[row, k] * c).Sum() / Math.Sqrt(value);
    }

    private static double[,] Exponential(double[,] a)
    {
        var n = a.GetLength(0);
        var (sum, term) = (new double[n, n], new double[n, n]);
        for (var i = 0; i < n; i++) (sum[i, i], term[i, i]) = (1, 1);
        for (var k = 1; k < 80; k++)
        {
            var next = new double[n, n];
            for (var r = 0; r < n; r++)
                for (var c = 0; c < n; c++)
                    for (var m = 0; m < n; m++) next[r, c] += term[r, m] * a[m, c] / k;
            term = next;
            for (var r = 0; r < n; r++)
                for (var c = 0; c < n; c++) sum[r, c] += term[r, c];
        }

        return sum;
    }
}
