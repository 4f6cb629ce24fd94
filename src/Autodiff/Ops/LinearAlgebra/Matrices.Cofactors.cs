namespace Convoy.Autodiff.Ops;

// Cofactors of any square matrix. P a = L U also where a is singular, as a column without a pivot is passed over; the
// adjugate of a product is the product of adjugates in turn, so adj a = det(P) adj(U) L⁻¹ P, and that of a triangle
// follows from its smaller triangles without a division:
//   U_k = [U_k-1 u; 0 p]        adj U_k = [p adj U_k-1, -adj(U_k-1) u; 0, det U_k-1]
internal static partial class Matrices
{
    /// <summary>c_ij = (-1)^(i+j) times the determinant of a without row i and column j.</summary>
    public static void Cofactors(ReadOnlySpan<double> a, int n, Span<double> c)
    {
        var (lu, order) = (a.ToArray(), new int[n]);
        var sign = Lu(lu, n, order);
        var adjugate = new double[n * n]; // of U
        var determinant = 1.0;
        var column = new double[n];
        for (var k = 0; k < n; k++)
        {
            var pivot = lu[(k * n) + k];
            for (var i = 0; i < k; i++)
            {
                column[i] = 0;
                for (var j = i; j < k; j++) column[i] -= adjugate[(i * n) + j] * lu[(j * n) + k];
            }

            for (var i = 0; i < k; i++)
            {
                for (var j = i; j < k; j++) adjugate[(i * n) + j] *= pivot;
                adjugate[(i * n) + k] = column[i];
            }

            adjugate[(k * n) + k] = determinant;
            determinant *= pivot;
        }

        // Rows of adj(U) L⁻¹: solved from the last column, because L has ones on its diagonal.
        for (var i = 0; i < n; i++)
        {
            for (var j = n - 1; j >= 0; j--)
            {
                for (var k = j + 1; k < n; k++) adjugate[(i * n) + j] -= adjugate[(i * n) + k] * lu[(k * n) + j];
            }

            // Columns go back to the rows they came from; the cofactors are the adjugate turned.
            for (var j = 0; j < n; j++) c[(order[j] * n) + i] = sign * adjugate[(i * n) + j];
        }
    }
}
