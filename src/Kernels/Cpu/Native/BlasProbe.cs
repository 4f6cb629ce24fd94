using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Convoy.Shared.Random;

namespace Convoy.Kernels.Cpu.Native;

/// <summary>
/// What must hold of a library before a job trusts it, tried on products as steps have them: results are right, they do
/// not change from call to call, nor with the place of the operands in memory, which differs from worker to worker.
/// </summary>
internal static unsafe class BlasProbe
{
    private static readonly (int M, int N, int K)[] Shapes =
        [(16, 64, 784), (16, 10, 128), (5, 33, 129), (1, 64, 64), (64, 1, 64), (33, 130, 300), (128, 96, 32)];
    private static readonly int[] Shifts = [0, 1, 3, 5, 8];
    private static readonly (bool A, bool B)[] Turns = [(false, false), (false, true), (true, false)];

    /// <summary>What is wrong, in words, or null.</summary>
    public static string? Fault(BlasProvider blas)
    {
        foreach (var (m, n, k) in Shapes)
        {
            foreach (var (ta, tb) in Turns)
            {
                var first = Product(blas, ta, tb, m, n, k, 0);
                if (!IsRight(first, ta, tb, m, n, k)) return $"gives wrong products ({m} x {n} x {k})";
                foreach (var shift in Shifts)
                {
                    var again = Product(blas, ta, tb, m, n, k, shift);
                    if (!MemoryMarshal.AsBytes<float>(first).SequenceEqual(MemoryMarshal.AsBytes<float>(again)))
                        return $"gives other bits from call to call ({m} x {n} x {k}, operands moved by {4 * shift} "
                            + "bytes), so workers would not agree";
                }
            }
        }

        return null;
    }

    /// <summary>Sixteen hexadecimal digits that stand for the bits of all these products.</summary>
    public static string Digest(BlasProvider blas)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (m, n, k) in Shapes)
            foreach (var (ta, tb) in Turns)
                hash.AppendData(MemoryMarshal.AsBytes<float>(Product(blas, ta, tb, m, n, k, 0)));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static float[] Product(BlasProvider blas, bool ta, bool tb, int m, int n, int k, int shift)
    {
        var (a, b) = Operands(m, n, k);
        var (moved, other) = (Moved(a, shift), Moved(b, shift + 1));
        var c = new float[m * n];
        blas.Multiply(ta, tb, m, n, k, moved.AsSpan(shift), ta ? m : k, other.AsSpan(shift + 1), tb ? k : n, c, n);
        return c;
    }

    private static (float[] A, float[] B) Operands(int m, int n, int k)
    {
        var (a, b) = (new float[m * k], new float[k * n]);
        new RandomStream(1, RandomPurpose.Mask, 0).FillUniform(a, 0, -1, 1);
        new RandomStream(1, RandomPurpose.Mask, 1).FillUniform(b, 0, -1, 1);
        return (a, b);
    }

    private static float[] Moved(float[] values, int shift)
    {
        var moved = GC.AllocateArray<float>(values.Length + shift, pinned: true);
        values.CopyTo(moved, shift);
        return moved;
    }

    // Against float64: any order of k additions of products of numbers within 1 errs by at most k² roundings of 2^-24.
    private static bool IsRight(float[] c, bool ta, bool tb, int m, int n, int k)
    {
        var (a, b) = Operands(m, n, k);
        var bound = (double)k * k / (1 << 24);
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var sum = 0.0;
                for (var p = 0; p < k; p++)
                    sum += (double)a[ta ? (p * m) + i : (i * k) + p] * b[tb ? (j * k) + p : (p * n) + j];
                if (!(Math.Abs(sum - c[(i * n) + j]) <= bound)) return false;
            }
        }

        return true;
    }
}
