using Convoy.Kernels.Reference;
using Convoy.Shared.Random;

namespace Convoy.Kernels.Tests.Products;

/// <summary>K-1, K-2 in float64: products by registers have the bits of the plain loops (AD-15).</summary>
public sealed class DoubleGemmTests
{
    [Fact]
    public void Every_shape_has_the_bits_of_the_reference()
    {
        var stream = 0UL;
        double[] Numbers(int count)
        {
            var random = new RandomStream(5, RandomPurpose.TestDouble, stream++);
            return [.. Enumerable.Range(0, count).Select(i => (random.UniformDouble(i) * 2) - 1)];
        }

        foreach (var (m, n, k) in ((int, int, int)[])[
            (1, 1, 1), (4, 8, 3), (5, 9, 256), (3, 17, 257), (9, 1, 600), (1, 9, 600), (12, 7, 512), (7, 12, 513),
            (100, 100, 100), (2, 8, 0)])
        {
            foreach (var (ta, tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
            {
                foreach (var accumulate in (bool[])[false, true])
                {
                    var (lda, ldb, ldc) = ((ta ? m : k) + 2, (tb ? k : n) + 1, n + 3);
                    var (a, b) = (Numbers((ta ? k : m) * lda), Numbers((tb ? n : k) * ldb));
                    if (a.Length > 40) a[37] = double.PositiveInfinity;
                    var before = Numbers(m * ldc);
                    var (expected, actual) = ((double[])before.Clone(), (double[])before.Clone());
                    GemmReference.Run<double>(ta, tb, m, n, k, a, lda, b, ldb, expected, ldc, default, Activation.None,
                        accumulate);
                    Gemm.Run<double>(ta, tb, m, n, k, a, lda, b, ldb, actual, ldc, accumulate: accumulate);
                    for (var i = 0; i < expected.Length; i++)
                        Assert.True(BitConverter.DoubleToInt64Bits(expected[i])
                            == BitConverter.DoubleToInt64Bits(actual[i])
                            || (double.IsNaN(expected[i]) && double.IsNaN(actual[i])),
                            $"{m}x{n}x{k} {ta} {tb} {accumulate}: element {i} is {actual[i]}, not {expected[i]}");
                }
            }
        }
    }
}
