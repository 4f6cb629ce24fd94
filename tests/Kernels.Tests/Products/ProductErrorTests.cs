namespace Convoy.Kernels.Tests.Products;

// The bound that src/Kernels/README.md states for products, against float64 (Higham, 3.1): each term takes part in at
// most 256 roundings of its block and one for each block after it.
public sealed class ProductErrorTests
{
    private const double Unit = 1.0 / (1 << 24);

    [Theory]
    [InlineData(5, 7, 1)]
    [InlineData(4, 9, 255)]
    [InlineData(6, 16, 257)]
    [InlineData(3, 5, 5_000)]
    [InlineData(2, 3, 70_000)]
    public void A_product_is_within_its_bound_of_the_exact_one(int m, int n, int k)
    {
        var numbers = new Numbers((uint)(m + n + k));
        var (a, b, c) = (numbers.Floats(m * k), numbers.Floats(k * n), new float[m * n]);
        Gemm.Run<float>(false, false, m, n, k, a, k, b, n, c, n);
        var roundings = (256 + ((k + 255) / 256)) * Unit;
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
            {
                var (exact, size) = (0.0, 0.0);
                for (var p = 0; p < k; p++)
                {
                    var term = (double)a[(i * k) + p] * b[(p * n) + j];
                    (exact, size) = (exact + term, size + Math.Abs(term));
                }

                Assert.InRange(Math.Abs(c[(i * n) + j] - exact), 0, roundings / (1 - roundings) * size);
            }
    }
}
