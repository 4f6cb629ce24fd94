using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Samples of factorizations, inverses and norms of matrices.
internal static partial class OpSamples
{
    private static IEnumerable<OpSample> LinearAlgebra()
    {
        var general = Diagonally(Normal(2, 3, 3), 2.5);
        yield return new OpSample(OpTable.Inverse, Attributes.None, [general]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.Solve, Attributes.None, [general, Normal(2, 3, 2)]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.Solve, Attributes.None, [general, Normal(2, 3)]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.SignLogDet, Attributes.None, [general])
        {
            Differentiable = [0, 1],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.LogDet, Attributes.None, [Positive(Normal(3, 3))]) { FloatTolerance = 1e-4 };
        // One row twice: rank 2 of 3; one row three times: rank 1.
        var twice = general.Copy();
        twice.Slice(SliceSpec.All, 2).CopyFrom(twice.Slice(SliceSpec.All, 0));
        var thrice = twice.Copy();
        thrice.Slice(SliceSpec.All, 1).CopyFrom(thrice.Slice(SliceSpec.All, 0));
        foreach (var op in new[] { OpTable.Determinant, OpTable.Cofactor })
        {
            foreach (var x in new[] { general, twice, thrice, Normal(1, 1) })
                yield return new OpSample(op, Attributes.None, [x]) { FloatTolerance = 1e-4 };
        }
        yield return new OpSample(OpTable.Cholesky, Attributes.None,
            [Positive(Normal(3, 3))])
        { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.Qr, Attributes.None, [Diagonally(Normal(4, 3), 2)])
        {
            Differentiable = [0, 1],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.Eigh, Attributes.None, [Apart(3, 3)])
        {
            Differentiable = [0, 1],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.Svd, Attributes.None, [Apart(4, 3)])
        {
            Differentiable = [0, 1, 2],
            FloatTolerance = 1e-4
        };
        yield return new OpSample(OpTable.Svd, Attributes.None, [Apart(2, 3)])
        {
            Differentiable = [1],
            FloatTolerance = 1e-4
        };
        // Far from 1, with eigenvalues that turn: several roots are taken.
        yield return new OpSample(OpTable.MatrixLog, Attributes.None, [Diagonally(Normal(2, 3, 3), 4)])
        { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.MatrixExp, Attributes.None, [Normal(2, 3, 3)]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.FrobeniusNorm, Attributes.None, [Normal(2, 3, 4)]);
        yield return new OpSample(OpTable.NuclearNorm, Attributes.None, [Apart(3, 3)]) { FloatTolerance = 1e-4 };
        yield return new OpSample(OpTable.SpectralNorm, Attributes.None, [Apart(3, 2)]) { FloatTolerance = 1e-4 };
    }

    private static Tensor Diagonally(Tensor x, double add)
    {
        var (rows, columns) = (x.Shape[-2], x.Shape[-1]);
        var values = x.Writable<double>();
        for (var i = 0; i < values.Length; i++)
            if (i / columns % rows == i % columns) values[i] += add;
        return x;
    }

    // x xᵀ + 1: symmetric and positive definite.
    private static Tensor Positive(Tensor x)
    {
        var n = x.Shape[0];
        var y = Tensor.Zeros(DType.Float64, n, n);
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var sum = i == j ? 1.0 : 0;
                for (var k = 0; k < n; k++) sum += x.At(i, k) * x.At(j, k);
                y.Set(sum, i, j);
            }
        }

        return y;
    }

    // Singular values and eigenvalues that are far from each other.
    private static Tensor Apart(int rows, int columns)
    {
        var x = Make([rows, columns], 6, (v, _) => 0.3 * v);
        for (var i = 0; i < Math.Min(rows, columns); i++) x.Set(x.At(i, i) + 1 + (1.3 * i), i, i);
        return x;
    }
}
