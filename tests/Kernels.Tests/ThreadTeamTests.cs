using Convoy.Kernels.Operators;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests;

// AD-14, K-1, K-4: the number of threads never shows in the bits.
public sealed class ThreadTeamTests
{
    private readonly float[] _a = new Numbers(11).Floats(1 << 20);
    private readonly float[] _b = new Numbers(12).Floats(1 << 20);
    private readonly int[] _ids = [.. Enumerable.Range(0, 2_048).Select(i => i * 7 % 513)];
    private readonly int[] _starts = [0, 40, 40, 100, 128, 200, 256, 300, 320];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Any_number_of_threads_gives_the_same_bits(int threads)
    {
        var alone = Everything();
        using var team = new ThreadTeam(threads);
        using (team.Enter())
        {
            // Twice: the threads sleep before the first kernel and spin before the next.
            Assert.Equal(alone, Everything());
            Assert.Equal(alone, Everything());
        }

        Assert.Equal(alone, Everything());
    }

    // The smallest parts there are: every kernel is cut wherever it can be.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(10_000, 2_500)]
    public void AD14_any_minimum_and_any_size_of_parts_gives_the_same_bits(int least, int part)
    {
        var alone = Everything();
        using var team = new ThreadTeam(5, new ThreadTeamOptions { ElementsMin = least, ElementsPerPart = part });
        using (team.Enter()) Assert.Equal(alone, Everything());
    }

    [Fact]
    public void AD14_below_the_minimum_the_caller_computes_alone()
    {
        Assert.Equal(1, ThreadTeam.ElementParts(1 << 20, 4_096));
        using (var team = new ThreadTeam(4))
        using (team.Enter())
        {
            Assert.Equal([1, 2, 4], Parts(8_191, 8_192, 1 << 20));
        }

        using (var team = new ThreadTeam(4, new ThreadTeamOptions { ElementsMin = 10_000, ElementsPerPart = 2_500 }))
        using (team.Enter())
        {
            Assert.Equal([1, 4, 4], Parts(9_999, 10_000, 1 << 20));
        }

        using (var team = new ThreadTeam(4, new ThreadTeamOptions { ElementsMin = 1, ElementsPerPart = 5_000 }))
        using (team.Enter())
        {
            Assert.Equal([1, 1, 2], Parts(10, 9_999, 10_000));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new ThreadTeam(2, new ThreadTeamOptions { ElementsMin = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new ThreadTeam(2, new ThreadTeamOptions { ElementsPerPart = 0 }));
    }

    private static int[] Parts(params int[] elements) => [.. elements.Select(e => ThreadTeam.ElementParts(e, 4_096))];

    [Fact]
    public void Parts_cover_a_range_once_at_multiples_of_the_unit()
    {
        for (var count = 0; count < 200; count += 13)
        {
            for (var parts = 1; parts < 9; parts++)
            {
                var next = 0;
                for (var part = 0; part < parts; part++)
                {
                    var (from, length) = ThreadTeam.Range(count, part, parts, 6);
                    Assert.Equal(next, from);
                    Assert.True(from % 6 == 0 || from == count);
                    next += length;
                }

                Assert.Equal(count, next);
            }
        }
    }

    [Fact]
    public void A_part_that_fails_is_told_where_the_kernel_was_called_and_the_team_lives_on()
    {
        using var team = new ThreadTeam(3);
        using var scope = team.Enter();
        for (var failing = 0; failing < 3; failing++)
        {
            var work = new Marks { FailingPart = failing, Seen = new int[3] };
            var failure = Throws(ref work);
            Assert.Equal($"part {failing}", failure.InnerException!.Message);
            Assert.Equal([1, 1, 1], work.Seen);
        }

        var whole = new Marks { FailingPart = -1, Seen = new int[3] };
        ThreadTeam.Run(ref whole, 3);
        Assert.Equal([1, 1, 1], whole.Seen);
    }

    [Fact]
    public void What_a_part_wrote_before_a_meeting_is_seen_by_all_after_it()
    {
        using var team = new ThreadTeam(4);
        using var scope = team.Enter();
        for (var run = 0; run < 50; run++)
        {
            var work = new Meetings { Written = new int[4], Wrong = new int[4], FailingPart = -1 };
            ThreadTeam.Run(ref work, 4);
            Assert.Equal([0, 0, 0, 0], work.Wrong);
        }
    }

    [Fact]
    public void Parts_that_wait_for_one_that_fails_wait_no_longer()
    {
        using var team = new ThreadTeam(3);
        using var scope = team.Enter();
        for (var failing = 0; failing < 3; failing++)
        {
            var work = new Meetings { Written = new int[3], Wrong = new int[3], FailingPart = failing };
            Assert.Equal($"part {failing}", Throws(ref work).InnerException!.Message);
        }

        var whole = new Meetings { Written = new int[3], Wrong = new int[3], FailingPart = -1 };
        ThreadTeam.Run(ref whole, 3);
        Assert.Equal([0, 0, 0], whole.Wrong);
    }

    [Fact]
    public void A_team_serves_one_thread_at_a_time_and_ends_with_its_threads()
    {
        var team = new ThreadTeam(2);
        Assert.Equal(2, team.Threads);
        using (team.Enter()) Assert.Throws<InvalidOperationException>(() => Enter(team));
        Enter(team);
        team.Dispose();
        Assert.Throws<ArgumentOutOfRangeException>(() => new ThreadTeam(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ThreadTeam(ThreadTeam.ThreadsMax + 1));
    }

    private static void Enter(ThreadTeam team)
    {
        using var scope = team.Enter();
    }

    private static AggregateException Throws<TWork>(ref TWork work) where TWork : struct, ITeamWork
    {
        try
        {
            ThreadTeam.Run(ref work, 3);
        }
        catch (AggregateException failure)
        {
            return failure;
        }

        throw new InvalidOperationException("nothing was thrown");
    }

    private struct Marks : ITeamWork
    {
        public int FailingPart;
        public int[] Seen;

        public readonly void Run(int part, int parts)
        {
            Seen[part]++;
            if (part == FailingPart) throw new InvalidOperationException($"part {part}");
        }
    }

    private struct Meetings : ITeamWork
    {
        public int[] Written;
        public int[] Wrong;
        public int FailingPart;

        public readonly void Run(int part, int parts)
        {
            for (var turn = 1; turn < 20; turn++)
            {
                Written[part] = turn;
                if (part == FailingPart && turn == 10) throw new InvalidOperationException($"part {part}");
                ThreadTeam.Meet("a test");
                foreach (var written in Written)
                    if (written != turn) Wrong[part]++;
                ThreadTeam.Meet("a test");
            }
        }
    }

    // Every kernel that is cut into parts, with sizes above its threshold.
    private int[] Everything()
    {
        var results = new List<float[]>();
        Products(results);
        Convolutions(results);
        Rows(results);
        Elements(results);
        return [.. results.SelectMany(r => r).Select(BitConverter.SingleToInt32Bits)];
    }

    private void Products(List<float[]> results)
    {
        foreach (var (m, n, k) in ((int, int, int)[])[(200, 190, 301), (37, 700, 257), (900, 65, 164), (44, 2_100, 400),
            (6, 3_000, 340)])
        {
            foreach (var (ta, tb) in ((bool, bool)[])[(false, false), (true, false), (false, true), (true, true)])
            {
                var c = New(results, m * n);
                Gemm.Run<float>(
                    ta, tb, m, n, k, _a, ta ? m : k, _b, tb ? k : n, c, n, _b.AsSpan(77), Activation.Gelu);
            }
        }

        var nodes = new SliceTree(8).Cover(1, 8);
        int[] starts = [.. _starts.Skip(1).Select(s => s - _starts[1])];
        SegmentedGemm.Run<float>(
            130, 70, _a, _b, New(results, nodes.Length * 130 * 70), 130 * 70, new Segments(starts, 1, 8, nodes));
    }

    private void Convolutions(List<float[]> results)
    {
        var shape = new Conv2dShape(12, 3, 16, 16, 24, 3, 3, Padding: 1);
        var y = New(results, 12 * shape.OutputSize);
        Conv2d.Forward<float>(_a, _b, _b.AsSpan(0, 24), y, shape, Activation.Relu);
        Conv2d.GradInput<float>(y, _b, New(results, 12 * shape.InputSize), shape);
        foreach (var (from, end) in ((int, int)[])[(0, 8), (0, 5), (3, 8)])
        {
            var nodes = new SliceTree(8).Cover(from, end);
            int[] starts = [.. Enumerable.Range(0, end - from + 1).Select(i => 12 * i / (end - from))];
            starts[1] = 0; // a slice without samples
            Conv2d.SegmentedGradWeight<float>(
                _a, y, New(results, nodes.Length * shape.WeightSize), shape.WeightSize, shape,
                new Segments(starts, from, 8, nodes));
        }

        var pool = new Pool2dShape(12, 24, 16, 16, 2, 2, 2);
        Pooling.MaxForward<float>(y, New(results, pool.OutputSize), new int[pool.OutputSize], pool);
    }

    private void Rows(List<float[]> results)
    {
        var attention = new AttentionShape(4, 96, 3, 16, 144, 48, true);
        var (o, lse) = (New(results, 4 * 96 * 48), New(results, 4 * 3 * 96));
        Attention.Forward<float>(_a, _a.AsSpan(48), _a.AsSpan(96), o, lse, attention);
        var d = New(results, 4 * 96 * 144);
        Attention.Backward<float>(
            _a, _a.AsSpan(48), _a.AsSpan(96), o, lse, _b, d, d.AsSpan(48), d.AsSpan(96), attention);
        const int rows = 2_047, n = 65;
        var x = _a.AsSpan(0, rows * n);
        Softmax.Forward<float>(x, n, New(results, x.Length));
        Softmax.Backward<float>(x, _b, n, New(results, x.Length));
        var (loss, sums) = (New(results, rows), New(results, rows));
        var ids = _ids.AsSpan(0, rows);
        CrossEntropy.Forward<float>(x, n, ids, loss, sums);
        CrossEntropy.Backward<float>(x, n, ids, sums, _b, New(results, x.Length));
        var (mean, rstd) = (New(results, rows), New(results, rows));
        LayerNorm.Forward<float>(
            x, _b.AsSpan(0, n), _b.AsSpan(n, n), 1e-5f, New(results, x.Length), mean, rstd);
        LayerNorm.GradInput<float>(_b.AsSpan(0, x.Length), x, _b.AsSpan(0, n), mean, rstd, New(results, x.Length));
    }

    private void Elements(List<float[]> results)
    {
        const int count = 200_003;
        var a = _a.AsSpan(0, count);
        var b = _b.AsSpan(0, count);
        Elementwise.Unary<float, Gelu>(a, New(results, count));
        Elementwise.Binary<float, Multiply>(a, b, New(results, count));
        Elementwise.BinaryScalar<float, Maximum>(a, 0.25f, New(results, count));
        var (w, m, v) = (New(results, count), New(results, count), New(results, count));
        Optimizers.AdamW<float>(w, a, m, v, new AdamStep(0.1, 0.9, 0.99, 1e-8, 0.01, 1));
        Optimizers.Sgd<float>(w, b, m, new SgdStep(0.1, 0.9, 0.01));
        Optimizers.Sgd<float>(w, b, [], new SgdStep(0.1, 0, 0.01));
    }

    private static float[] New(List<float[]> results, int length)
    {
        results.Add(new float[length]);
        return results[^1];
    }
}
