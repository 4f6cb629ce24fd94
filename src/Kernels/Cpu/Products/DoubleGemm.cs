using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Convoy.Kernels.Cpu.Products;

/// <summary>Where an operand's or a result's element (i, p) lies: i·Major + p·Minor.</summary>
internal readonly unsafe struct DoubleView(double* at, int major, int minor)
{
    public readonly double* At = at;
    public readonly nint Major = major;
    public readonly nint Minor = minor;
}

// Products of float64, for derivatives and checks: four rows by eight columns in registers, the order of K-2, so the
// bits are those of GemmReference. No packing beyond one panel of columns, no threads: sizes are those of Jacobians.
// Products of 100 x 100 with a vector 3 times as fast, see load-tests/results/compare.md.
internal static unsafe class DoubleGemm
{
    private const int Columns = 8;
    private const int Rows = 4;

    /// <summary>c = a·b, or c + a·b; no bias. k is at least 1.</summary>
    public static void Run(
        bool transA, bool transB, int m, int n, int k, double* a, int lda, double* b, int ldb, double* c, int ldc,
        bool accumulate)
    {
        var x = new DoubleView(a, transA ? 1 : lda, transA ? lda : 1);
        var y = new DoubleView(b, transB ? ldb : 1, transB ? 1 : ldb);
        // A product with few columns is one with few rows: cᵀ = bᵀ·aᵀ.
        if (n < Columns && m > n) Run(n, m, k, y, x, new DoubleView(c, 1, ldc), accumulate);
        else Run(m, n, k, x, y, new DoubleView(c, ldc, 1), accumulate);
    }

    private static void Run(int m, int n, int k, in DoubleView a, in DoubleView b, in DoubleView c, bool accumulate)
    {
        fixed (double* packed = Scratch.Rent<double>(ScratchSlot.PackedB, Columns * Order.Block))
        {
            for (var j = 0; j < n; j += Columns)
            {
                var columns = Math.Min(Columns, n - j);
                for (var p = 0; p < k; p += Order.Block)
                {
                    var terms = Math.Min(Order.Block, k - p);
                    var panel = b.At + (j * b.Major) + (p * b.Minor);
                    var step = b.Minor;
                    if (b.Major != 1 || columns < Columns)
                    {
                        Pack(panel, b.Major, b.Minor, columns, terms, packed);
                        panel = packed;
                        step = Columns;
                    }

                    Panel(m, terms, a.At + (p * a.Minor), a, panel, step, c.At + (j * c.Minor), c, columns,
                        accumulate || p > 0);
                }
            }
        }
    }

    private static void Pack(double* from, nint major, nint minor, int columns, int terms, double* to)
    {
        for (var p = 0; p < terms; p++, from += minor, to += Columns)
            for (var j = 0; j < Columns; j++) to[j] = j < columns ? from[j * major] : 0;
    }

    // All rows of one panel, one block of terms.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel(
        int m, int terms, double* a, in DoubleView rows, double* panel, nint step, double* c, in DoubleView to,
        int columns, bool adds)
    {
        var sums = stackalloc double[Rows * Columns];
        var i = 0;
        for (; i <= m - Rows; i += Rows)
        {
            Vector256<double> a0 = default, b0 = default, a1 = default, b1 = default;
            Vector256<double> a2 = default, b2 = default, a3 = default, b3 = default;
            var x = a + (i * rows.Major);
            var y = panel;
            for (var p = 0; p < terms; p++, x += rows.Minor, y += step)
            {
                var (low, high) = (Vector256.Load(y), Vector256.Load(y + 4));
                var one = Vector256.Create(x[0]);
                (a0, b0) = (Vector256.FusedMultiplyAdd(one, low, a0), Vector256.FusedMultiplyAdd(one, high, b0));
                one = Vector256.Create(x[rows.Major]);
                (a1, b1) = (Vector256.FusedMultiplyAdd(one, low, a1), Vector256.FusedMultiplyAdd(one, high, b1));
                one = Vector256.Create(x[2 * rows.Major]);
                (a2, b2) = (Vector256.FusedMultiplyAdd(one, low, a2), Vector256.FusedMultiplyAdd(one, high, b2));
                one = Vector256.Create(x[3 * rows.Major]);
                (a3, b3) = (Vector256.FusedMultiplyAdd(one, low, a3), Vector256.FusedMultiplyAdd(one, high, b3));
            }

            Put(sums, a0, b0);
            Put(sums + Columns, a1, b1);
            Put(sums + (2 * Columns), a2, b2);
            Put(sums + (3 * Columns), a3, b3);
            for (var r = 0; r < Rows; r++)
                Store(sums + (r * Columns), c + ((i + r) * to.Major), to.Minor, columns, adds);
        }

        for (; i < m; i++)
        {
            Vector256<double> low = default, high = default;
            var x = a + (i * rows.Major);
            var y = panel;
            for (var p = 0; p < terms; p++, x += rows.Minor, y += step)
            {
                var one = Vector256.Create(x[0]);
                low = Vector256.FusedMultiplyAdd(one, Vector256.Load(y), low);
                high = Vector256.FusedMultiplyAdd(one, Vector256.Load(y + 4), high);
            }

            Put(sums, low, high);
            Store(sums, c + (i * to.Major), to.Minor, columns, adds);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(double* sums, Vector256<double> low, Vector256<double> high)
    {
        low.Store(sums);
        high.Store(sums + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(double* sums, double* c, nint step, int columns, bool adds)
    {
        for (var j = 0; j < columns; j++) c[j * step] = adds ? c[j * step] + sums[j] : sums[j];
    }
}
