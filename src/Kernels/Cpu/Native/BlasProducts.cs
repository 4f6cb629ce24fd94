using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu.Native;

// Products of a share by a library: one call for each slice, of the slice alone, so that the bits of a slice do not
// depend on what else its worker was dealt. A slice that is too small is computed by the managed kernel: also a rule of
// the slice alone. Threads take whole slices, or fixed blocks of rows of a weight gradient: no call depends on them.
internal static unsafe class BlasProducts
{
    // Rows of a weight gradient in one call: it fixes the shape of the call, whatever the number of threads.
    private const int WeightRows = 128;

    /// <summary>c = activation(a·op(b) + bias): a has the rows of all slices.</summary>
    public static void Rows(
        BlasProvider blas, long from, bool transB, int n, int k, float* a, float* b, int ldb, float* c, float* bias,
        Activation activation, ReadOnlySpan<int> starts, int rowsPerStart)
    {
        var work = new RowParts(blas, from, transB, n, k, a, b, ldb, c, bias, activation, starts, rowsPerStart);
        var slices = starts.Length - 1;
        var flops = 2L * starts[^1] * rowsPerStart * n * k;
        ThreadTeam.Run(ref work, Math.Clamp(ThreadTeam.Parts(flops, FloatGemm.FlopsPerPart), 1, Math.Max(slices, 1)));
    }

    /// <summary>As <see cref="SegmentedGemm"/>.</summary>
    public static void Weights(
        BlasProvider blas, long from, int m, int n, float* a, int lda, float* b, int ldb, Span<float> c,
        int nodeStride, in Segments s)
    {
        fixed (float* pc = c)
        {
            var work = new WeightParts(blas, from, m, n, a, lda, b, ldb, pc, c.Length, nodeStride, s);
            var blocks = ((m - 1) / WeightRows) + 1;
            ThreadTeam.Run(
                ref work, Math.Clamp(ThreadTeam.Parts(2L * m * n * s.Rows, FloatGemm.FlopsPerPart), 1, blocks));
        }
    }

    private static bool Takes(long from, long m, long n, long k) => 2 * m * n * k >= from;

    private static void Finish(float* c, int rows, int n, float* bias, Activation activation)
    {
        if (SimdInfo.Lanes == 16) TileEdges.Finish<Lane16>(c, n, rows, n, bias, activation);
        else if (SimdInfo.Lanes == 8) TileEdges.Finish<Lane8>(c, n, rows, n, bias, activation);
        else if (SimdInfo.Lanes == 4) TileEdges.Finish<Lane4>(c, n, rows, n, bias, activation);
        else TileEdges.Finish<Lane1>(c, n, rows, n, bias, activation);
    }

    private readonly ref struct RowParts(
        BlasProvider blas, long from, bool transB, int n, int k, float* a, float* b, int ldb, float* c, float* bias,
        Activation activation, ReadOnlySpan<int> starts, int rowsPerStart) : ITeamWork
    {
        private readonly float* _a = a;
        private readonly float* _b = b;
        private readonly float* _c = c;
        private readonly float* _bias = bias;
        private readonly ReadOnlySpan<int> _starts = starts;

        public void Run(int part, int parts)
        {
            var (first, count) = ThreadTeam.Range(_starts.Length - 1, part, parts);
            for (var i = first; i < first + count; i++)
            {
                var row = _starts[i] * rowsPerStart;
                var rows = (_starts[i + 1] * rowsPerStart) - row;
                if (rows == 0) continue;
                float* x = _a + ((nint)row * k), y = _c + ((nint)row * n);
                if (Takes(from, rows, n, k))
                {
                    blas.Multiply(false, transB, rows, n, k, x, k, _b, ldb, y, n);
                    Finish(y, rows, n, _bias, activation);
                    continue;
                }

                FloatGemm.Run(new GemmCall
                {
                    TransA = false, TransB = transB, M = rows, N = n, K = k, A = x, Lda = k, B = _b, Ldb = ldb, C = y,
                    Ldc = n, Bias = _bias, Activation = activation,
                });
            }
        }
    }

    private readonly ref struct WeightParts(
        BlasProvider blas, long from, int m, int n, float* a, int lda, float* b, int ldb, float* c, int length,
        int nodeStride, Segments s) : ITeamWork
    {
        private readonly float* _a = a;
        private readonly float* _b = b;
        private readonly float* _c = c;
        private readonly Segments _s = s;

        public void Run(int part, int parts)
        {
            var (first, count) = ThreadTeam.Range(m, part, parts, WeightRows);
            for (var row = first; row < first + count; row += WeightRows)
            {
                var rows = Math.Min(WeightRows, m - row);
                var sum = new SliceSum(blas, from, m, rows, n, _a + row, lda, _b, ldb);
                var at = row * n;
                SegmentedTree.Run(ref sum, rows * n, new Span<float>(_c + at, length - at), nodeStride, _s);
            }
        }
    }

    // Some rows of the sum over one slice; the size of the whole product decides who computes it.
    private readonly ref struct SliceSum(
        BlasProvider blas, long from, int m, int rows, int n, float* a, int lda, float* b, int ldb) : ISliceSum<float>
    {
        private readonly float* _a = a;
        private readonly float* _b = b;

        public void Sum(int firstRow, int endRow, Span<float> destination)
        {
            var terms = endRow - firstRow;
            float* x = _a + ((nint)firstRow * lda), y = _b + ((nint)firstRow * ldb);
            fixed (float* c = destination)
            {
                if (Takes(from, m, n, terms))
                {
                    blas.Multiply(true, false, rows, n, terms, x, lda, y, ldb, c, n);
                    return;
                }

                ReadOnlySpan<int> one = [0, terms];
                ReadOnlySpan<Shared.Tensors.TreeNode> root = [new(0, 0)];
                FloatSegmentedGemm.Run(rows, n, x, lda, y, ldb, c, rows * n, new Segments(one, 0, 1, root));
            }
        }
    }
}
