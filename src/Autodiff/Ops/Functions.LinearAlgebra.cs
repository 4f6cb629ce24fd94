namespace Convoy.Autodiff.Ops;

// Operators as methods of values: matrices in the last two dimensions.
public static partial class Functions
{
    /// <summary>x⁻¹ of square matrices, x_..NN; a singular matrix is refused.</summary>
    public static Value Inverse(this Value x) => x.Apply(OpTable.Inverse);

    /// <summary>x with a x = b; b is columns_..NK, or one vector_..N with a dimension less than a.</summary>
    public static Value Solve(this Value a, Value b) => a.Apply(OpTable.Solve, b);

    /// <summary>The matrix of the cofactors of x_..NN: element ij is (-1)^(i+j) times the determinant of x without row
    /// i and column j. The gradient of a determinant, whatever the rank.</summary>
    public static Value Cofactor(this Value x) => x.Apply(OpTable.Cofactor);

    /// <summary>det x of square matrices: x_..NN to y_.. .</summary>
    public static Value Determinant(this Value x) => x.Apply(OpTable.Determinant);

    /// <summary>ln det x; NaN where the determinant is negative.</summary>
    public static Value LogDet(this Value x) => x.Apply(OpTable.LogDet);

    /// <summary>The sign of det x_..NN, 0 where x is singular, and ln |det x|, -∞ there: of matrices whose determinant
    /// overflows. The sign has no gradient.</summary>
    public static (Value Sign, Value LogAbs) SignLogDet(this Value x)
    {
        var results = x.Builder.Apply(OpTable.SignLogDet, Attributes.None, [x]);
        return (results[0], results[1]);
    }

    /// <summary>The lower factor of a positive definite matrix.</summary>
    public static Value Cholesky(this Value x) => x.Apply(OpTable.Cholesky);

    /// <summary>
    /// Orthonormal columns and an upper factor with a positive diagonal; at least as many rows as columns.
    /// </summary>
    public static (Value Q, Value R) Qr(this Value x)
    {
        var results = x.Builder.Apply(OpTable.Qr, Attributes.None, [x]);
        return (results[0], results[1]);
    }

    /// <summary>u diag(s) vᵀ with s descending.</summary>
    public static (Value U, Value S, Value V) Svd(this Value x)
    {
        var results = x.Builder.Apply(OpTable.Svd, Attributes.None, [x]);
        return (results[0], results[1], results[2]);
    }

    /// <summary>Eigenvalues (ascending) and eigenvectors of the symmetric part.</summary>
    public static (Value Values, Value Vectors) Eigh(this Value x)
    {
        var results = x.Builder.Apply(OpTable.Eigh, Attributes.None, [x]);
        return (results[0], results[1]);
    }

    /// <summary>e^x = Σ xᵏ / k! of square matrices, by scaling and squaring with Padé approximants (Higham
    /// 2005).</summary>
    public static Value MatrixExp(this Value x) => x.Apply(OpTable.MatrixExp);

    /// <summary>The logarithm whose eigenvalues lie between -πi and πi; NaN where there is none.</summary>
    public static Value MatrixLog(this Value x) => x.Apply(OpTable.MatrixLog);
    /// <summary>√Σ x² over the last two dimensions; the gradient at 0 is 0.</summary>
    public static Value FrobeniusNorm(this Value x) => x.Apply(OpTable.FrobeniusNorm);
    /// <summary>The sum of the singular values of the last two dimensions; differentiable where none is 0 and none
    /// repeats.</summary>
    public static Value NuclearNorm(this Value x) => x.Apply(OpTable.NuclearNorm);
    /// <summary>The largest singular value of the last two dimensions; differentiable where it is a single
    /// one.</summary>
    public static Value SpectralNorm(this Value x) => x.Apply(OpTable.SpectralNorm);
}
