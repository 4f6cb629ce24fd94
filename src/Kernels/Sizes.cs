using System.Runtime.CompilerServices;

namespace Convoy.Kernels;

/// <summary>Size checks at the door of every kernel: the inner loops run on pointers.</summary>
internal static class Sizes
{
    public static void AtLeast(int length, long needed, [CallerArgumentExpression(nameof(length))] string what = "")
    {
        if (length < needed) Throw(what, length, needed);
    }

    /// <summary>Elements that a rows x columns matrix with this row stride spans.</summary>
    public static long Matrix(int rows, int columns, int stride)
    {
        if (rows < 0 || columns < 0 || stride < columns)
            throw new ArgumentException($"no matrix of {rows} x {columns} has row stride {stride}");
        return rows == 0 || columns == 0 ? 0 : ((long)(rows - 1) * stride) + columns;
    }

    /// <summary>Rows of a buffer of rows x n.</summary>
    public static int Rows(int length, int n)
    {
        if (n <= 0 || length % n != 0)
            throw new ArgumentException($"{length} elements are not whole rows of {n}");
        return length / n;
    }

    private static void Throw(string what, int length, long needed) =>
        throw new ArgumentException($"{what} is {length}; the kernel reads or writes {needed} elements");
}
