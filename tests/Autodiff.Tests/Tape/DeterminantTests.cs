using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// OPS-16: the gradient of a determinant of a matrix of any rank is the matrix of its cofactors, compared with minors
/// that are computed exactly, and its second derivative with differences of those.
/// </summary>
public sealed class DeterminantTests
{
    // Small whole numbers of the rank: products and sums of them are exact in float64.
    private static double[,] OfRank(int n, int rank, ulong seed)
    {
        var random = new RandomStream(seed, RandomPurpose.TestDouble, (ulong)((n * 10) + rank));
        double Whole(int i) => Math.Floor(random.UniformDouble(i) * 7) - 3;
        var a = new double[n, n];
        for (var r = 0; r < n; r++)
            for (var c = 0; c < n; c++)
                for (var k = 0; k < rank; k++) a[r, c] += Whole((r * 100) + k) * Whole(5_000 + (k * 100) + c);
        return a;
    }

    private static double Det(double[,] a)
    {
        var n = a.GetLength(0);
        return n == 0 ? 1 : Enumerable.Range(0, n).Sum(c => a[0, c] * Minor(a, 0, c));
    }

    private static double Minor(double[,] a, int row, int column)
    {
        var n = a.GetLength(0) - 1;
        var minor = new double[n, n];
        for (var r = 0; r < n; r++)
            for (var c = 0; c < n; c++) minor[r, c] = a[r < row ? r : r + 1, c < column ? c : c + 1];
        return ((row + column) % 2 == 0 ? 1 : -1) * Det(minor);
    }

    private static double[] Cofactors(double[,] a)
    {
        var n = a.GetLength(0);
        return [.. from r in Enumerable.Range(0, n) from c in Enumerable.Range(0, n) select Minor(a, r, c)];
    }

    private static Variable Leaf(DType type, params double[][,] matrices) => new(Tensor.Of<double>(
        [.. matrices.SelectMany(m => m.Cast<double>())],
        new Shape(matrices.Length, matrices[0].GetLength(0), matrices[0].GetLength(0))).Cast(type), true);

    private static void Near(double[] expected, double[] actual, double tolerance, string what)
    {
        var scale = expected.Append(1).Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * scale,
                $"{what}: {i} is {actual[i]:R}, not {expected[i]:R}");
    }

    [Theory]
    [InlineData(DType.Float64, 1e-12)]
    [InlineData(DType.Float32, 1e-5)]
    public void TheGradient_IsTheCofactors_WhateverTheRank(DType type, double tolerance)
    {
        for (var n = 1; n <= 6; n++)
        {
            // A batch of all ranks: one singular matrix does not spoil the others.
            var batch = Enumerable.Range(0, n + 1).Select(rank => OfRank(n, rank, 3)).ToArray();
            var x = Leaf(type, batch);
            var y = (Variable)x.Determinant();
            Near([.. batch.Select(Det)], y.Data.Cast(DType.Float64).ToArray<double>(), tolerance, $"det, n {n}");
            y.Backward(Tensor.Ones(type, n + 1));
            Near([.. batch.SelectMany(Cofactors)], x.Gradient!.Cast(DType.Float64).ToArray<double>(), tolerance,
                $"gradient, n {n}");
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void TheSecondDerivative_IsThatOfTheCofactors_WhateverTheRank(int n)
    {
        for (var rank = 0; rank <= n; rank++)
        {
            var (a, along) = (OfRank(n, rank, 5), OfRank(n, n, 8));
            var x = Leaf(DType.Float64, a);
            var first = Differentiate.Gradient([(Variable)x.Determinant().Sum()], [x], createGraph: true)[0];
            var second = Differentiate.Gradient([first], [x], [Leaf(DType.Float64, along)])[0];
            // Cofactors are polynomials of degree n - 1: differences of whole steps, with weights that are exact.
            double[] At(double step)
            {
                var moved = (double[,])a.Clone();
                for (var r = 0; r < n; r++)
                    for (var c = 0; c < n; c++) moved[r, c] += step * along[r, c];
                return Cofactors(moved);
            }

            var (one, two) = (At(1).Zip(At(-1), (p, m) => p - m), At(2).Zip(At(-2), (p, m) => p - m));
            double[] expected = [.. one.Zip(two, (h, k) => ((8 * h) - k) / 12)];
            Near(expected, second.Data.ToArray<double>(), 1e-9, $"second derivative, n {n}, rank {rank}");
        }
    }

    [Fact]
    public void OfALargeMatrix_SecondDerivativesAreRightWhereItIsRegular_AndRefusedWhereNot()
    {
        const int N = 9;
        var a = OfRank(N, N, 2);
        for (var i = 0; i < N; i++) a[i, i] += 40;
        var x = Leaf(DType.Float64, a);
        var first = Differentiate.Gradient([(Variable)x.Determinant().Log().Sum()], [x], createGraph: true)[0];
        var second = Differentiate.Gradient([first], [x], [Leaf(DType.Float64, OfRank(N, 2, 4))])[0];
        // ln det has the second derivative -x⁻ᵀ hᵀ x⁻ᵀ.
        var back = x.Inverse().Transpose();
        var expected = (Variable)(-back.MatMul(Leaf(DType.Float64, OfRank(N, 2, 4)), tb: true).MatMul(back));
        Near(expected.Data.ToArray<double>(), second.Data.ToArray<double>(), 1e-12, "ln det");

        for (var i = 0; i < N; i++) a[i, 3] = 0;
        var singular = Leaf(DType.Float64, a);
        var gradient = Differentiate.Gradient(
            [(Variable)singular.Determinant().Sum()], [singular], createGraph: true)[0];
        var refused = Assert.Throws<ShapeException>(
            () => Differentiate.Gradient([(Variable)gradient.Sum()], [singular]));
        Assert.Contains("singular", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADeterminantOverflows_OnlyIfItsValueDoes()
    {
        var a = new double[4, 4];
        foreach (var (i, v) in new[] { 1e200, 1e200, 1e-200, 1e-200 }.Index()) a[i, i] = v;
        Near([1], ((Variable)Leaf(DType.Float64, a).Determinant()).Data.ToArray<double>(), 1e-12, "det");
        a[2, 2] = 1e200;
        Assert.Equal(
            [double.PositiveInfinity], ((Variable)Leaf(DType.Float64, a).Determinant()).Data.ToArray<double>());
    }
}
