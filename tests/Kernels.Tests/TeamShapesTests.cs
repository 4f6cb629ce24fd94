using Convoy.Kernels.Operators;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests;

/// <summary>
/// AD-14, K-1: whatever the shape, a team of any size has the bits of one thread: sizes that are no multiple of a tile,
/// one row, one column, no terms, nothing at all. Products, convolutions and attention are large enough to be cut.
/// </summary>
public sealed class TeamShapesTests
{
    private const int Longest = 600_000;
    private static readonly float[] A = new Numbers(51).Floats(Longest);
    private static readonly float[] B = new Numbers(52).Floats(Longest);

    public static TheoryData<int, int, int> Products()
    {
        var shapes = new TheoryData<int, int, int>
        {
            { 1, 2_999, 199 }, { 2_999, 1, 199 }, { 1, 1, 250_001 }, { 0, 300, 300 }, { 300, 0, 300 },
            { 700, 801, 0 }, { 5_003, 7, 113 }, { 7, 5_003, 113 },
        };
        var numbers = new Numbers(53);
        for (var i = 0; i < 8; i++) shapes.Add(numbers.Int(100, 450), numbers.Int(100, 450), numbers.Int(100, 450));
        return shapes;
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Products_of_any_shape(int m, int n, int k) => Same(() =>
    {
        var results = new List<float[]>();
        foreach (var (ta, tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
        {
            var c = New(results, m * n);
            Gemm.Run<float>(
                ta, tb, m, n, k, A, Math.Max(1, ta ? m : k), B, Math.Max(1, tb ? k : n), c, Math.Max(1, n));
        }

        return results;
    });

    [Theory]
    [InlineData(1, 2_999, 200)]
    [InlineData(2_999, 1, 200)]
    [InlineData(201, 77, 0)]
    [InlineData(0, 50, 100)]
    [InlineData(301, 263, 401)]
    [InlineData(17, 1_200, 333)]
    public void Weight_gradients_of_any_shape(int m, int n, int rows) => Same(() =>
    {
        var results = new List<float[]>();
        var numbers = new Numbers((uint)(m + n));
        foreach (var slices in (int[])[1, 3, 8])
        {
            var nodes = new SliceTree(slices).Cover(slices / 3, slices);
            var starts = new int[slices - (slices / 3) + 1];
            for (var i = 1; i < starts.Length; i++)
                starts[i] = i == starts.Length - 1 ? rows : numbers.Int(starts[i - 1], rows + 1);
            SegmentedGemm.Run<float>(m, n, A, B, New(results, nodes.Length * m * n), m * n,
                new Segments(starts, slices / 3, slices, nodes));
        }

        return results;
    });

    [Fact]
    public void Convolutions_and_attention_of_any_shape() => Same(() =>
    {
        var results = new List<float[]>();
        var numbers = new Numbers(54);
        for (var i = 0; i < 6; i++)
        {
            var shape = new Conv2dShape(numbers.Int(1, 9), numbers.Int(1, 20), numbers.Int(12, 26), numbers.Int(12, 26),
                numbers.Int(8, 40), numbers.Int(1, 4), numbers.Int(1, 4), numbers.Int(1, 3), numbers.Int(0, 3));
            var y = New(results, shape.N * shape.OutputSize);
            Conv2d.Forward<float>(A, B, default, y, shape);
            Conv2d.GradInput<float>(y, B, New(results, shape.N * shape.InputSize), shape);
            int[] starts = [0, numbers.Int(0, shape.N + 1), shape.N];
            Conv2d.SegmentedGradWeight<float>(
                A, y, New(results, shape.WeightSize), shape.WeightSize, shape,
                new Segments(starts, 0, 2, new SliceTree(2).Cover(0, 2)));
            Attend(numbers, results);
        }

        return results;
    });

    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 1)]
    [InlineData(1, 40_001)]
    [InlineData(40_001, 1)]
    [InlineData(123, 457)]
    public void Rows_and_elements_of_any_shape(int rows, int width) => Same(() =>
    {
        var results = new List<float[]>();
        var count = rows * width;
        var x = A.AsSpan(0, count);
        Elementwise.Unary<float, Gelu>(x, New(results, count));
        Elementwise.Binary<float, Multiply>(x, B.AsSpan(0, count), New(results, count));
        Elementwise.BinaryRow<float, Add>(x, B.AsSpan(0, width), New(results, count));
        Elementwise.BinaryColumn<float, Add>(x, B.AsSpan(0, rows), New(results, count));
        Softmax.Forward<float>(x, width, New(results, count));
        Reduce.SumRows<float>(x, width, New(results, rows));
        Reduce.Sum<float>([rows, width], 1, x, New(results, width));
        Reduce.Sum<float>([rows, width], 3, x, New(results, 1));
        LayerNorm.Forward<float>(x, B.AsSpan(0, width), B.AsSpan(0, width), 1e-5f, New(results, count),
            New(results, rows), New(results, rows));
        Optimizers.AdamW<float>(New(results, count), x, New(results, count), New(results, count),
            new AdamStep(0.1, 0.9, 0.99, 1e-8, 0.01, 1));
        var blocks = new double[SquaredNorm.BlockCount(count)];
        SquaredNorm.Blocks<float>(x, blocks);
        results.Add([.. blocks.SelectMany(b => new[] { (float)b, (float)(b - (float)b) })]);
        return results;
    });

    private static void Attend(Numbers numbers, List<float[]> results)
    {
        var (heads, size) = (numbers.Int(1, 4), numbers.Int(9, 33));
        var (batch, time, d) = (numbers.Int(1, 5), numbers.Int(60, 150), heads * size);
        var shape = new AttentionShape(batch, time, heads, size, 3 * d, d, Causal: numbers.Int(0, 2) == 1);
        var (o, lse) = (New(results, batch * time * d), New(results, batch * time * heads));
        Attention.Forward<float>(A, A.AsSpan(d), A.AsSpan(2 * d), o, lse, shape);
        var g = New(results, 3 * batch * time * d);
        Attention.Backward<float>(
            A, A.AsSpan(d), A.AsSpan(2 * d), o, lse, B, g, g.AsSpan(d), g.AsSpan(2 * d), shape);
    }

    private static void Same(Func<List<float[]>> run)
    {
        var alone = run();
        foreach (var threads in (int[])[1, 2, 3, 5])
        {
            using var team = new ThreadTeam(threads, new ThreadTeamOptions { ElementsMin = 1, ElementsPerPart = 100 });
            using var scope = team.Enter();
            var together = run();
            for (var i = 0; i < alone.Count; i++) Bits.Equal(alone[i], together[i], $"result {i}, {threads} threads");
        }
    }

    private static float[] New(List<float[]> results, int length)
    {
        results.Add(new float[length]);
        return results[^1];
    }
}
