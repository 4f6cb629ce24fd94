using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Tests;

// K-4, DEV-12: copies and sums over any axes have the bits of the reference.
public sealed class StridedTests
{
    [Fact]
    public void K4_copies_of_any_strides_are_those_of_the_reference()
    {
        var numbers = new Numbers(41);
        for (var i = 0; i < 300; i++)
        {
            var dims = Dims(numbers, i);
            var strides = Strides(numbers, dims);
            var x = numbers.Odd(Length(dims, strides));
            var count = ElementwiseReference.Count(dims);
            var (expected, actual) = (new float[count + 3], new float[count + 3]);
            ElementwiseReference.CopyStrided<float>(dims, x, strides, expected);
            Elementwise.CopyStrided<float>(dims, x, strides, actual);
            Bits.Equal(expected, actual, $"copy of [{string.Join(',', dims)}] by [{string.Join(',', strides)}]");
        }
    }

    [Fact]
    public void K4_sums_over_any_axes_are_those_of_the_reference()
    {
        var numbers = new Numbers(42);
        for (var i = 0; i < 300; i++)
        {
            var dims = Dims(numbers, i);
            var axes = (uint)numbers.Int(0, 1 << dims.Length);
            var x = i % 2 == 0 ? numbers.Floats(ElementwiseReference.Count(dims))
                : numbers.Odd(ElementwiseReference.Count(dims));
            var outputs = 1;
            for (var d = 0; d < dims.Length; d++)
                if ((axes >> d & 1) == 0) outputs *= dims[d];
            var (expected, actual) = (new float[outputs], new float[outputs]);
            actual.AsSpan().Fill(7);
            ReduceReference.Sum<float>(dims, axes, x, expected);
            Reduce.Sum<float>(dims, axes, x, actual);
            Bits.Equal(expected, actual, $"sum of [{string.Join(',', dims)}] over axes {axes:b}");
        }
    }

    [Fact]
    public void AD14_threads_do_not_show_in_copies_and_sums()
    {
        var x = new Numbers(43).Floats(300 * 40 * 33);
        var alone = Large(x);
        using var team = new ThreadTeam(3);
        using var scope = team.Enter();
        Assert.Equal(alone, Large(x));
    }

    [Fact]
    public void A_source_that_is_too_short_is_refused()
    {
        Assert.Throws<ArgumentException>(() =>
            Elementwise.CopyStrided<float>([2, 3], new float[5], [1, 2], new float[6]));
        Assert.Throws<ArgumentException>(() => Elementwise.CopyStrided<float>([2], new float[5], [-1], new float[2]));
        Assert.Throws<ArgumentException>(() => Reduce.Sum<float>([2, 3], 1, new float[5], new float[3]));
    }

    private static float[] Large(float[] x)
    {
        var y = new float[x.Length];
        Elementwise.CopyStrided<float>([33, 300, 40], x, [1, 40 * 33, 33], y);
        var (rows, columns, middle) = (new float[300], new float[40 * 33], new float[300 * 33]);
        Reduce.Sum<float>([300, 40, 33], 6, x, rows);
        Reduce.Sum<float>([300, 40, 33], 1, x, columns);
        Reduce.Sum<float>([300, 40, 33], 2, x, middle);
        return [.. y, .. rows, .. columns, .. middle];
    }

    // One to four axes, some of one element, every tenth with an empty one.
    private static int[] Dims(Numbers numbers, int i)
    {
        var dims = new int[numbers.Int(1, 5)];
        for (var d = 0; d < dims.Length; d++)
            dims[d] = numbers.Int(1, dims.Length == 1 ? 600 : dims.Length == 2 ? 60 : 20);
        if (i % 10 == 9) dims[numbers.Int(0, dims.Length)] = 0;
        return dims;
    }

    // A permutation of the axes of a contiguous array, now and then with an axis that is repeated or every other
    // element.
    private static int[] Strides(Numbers numbers, int[] dims)
    {
        var order = Enumerable.Range(0, dims.Length).OrderBy(_ => numbers.Next()).ToArray();
        var strides = new int[dims.Length];
        var stride = numbers.Int(0, 6) == 0 ? 2 : 1;
        foreach (var d in order)
        {
            strides[d] = numbers.Int(0, 8) == 0 ? 0 : stride;
            stride *= Math.Max(dims[d], 1);
        }

        return strides;
    }

    private static int Length(int[] dims, int[] strides) =>
        dims.Zip(strides, (size, stride) => Math.Max(0, size - 1) * stride).Sum() + 1;
}
