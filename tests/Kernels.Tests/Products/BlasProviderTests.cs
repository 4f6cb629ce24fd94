using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests.Products;

// DEV-13: a library of the machine for products, where K-3 holds and what it computed does not depend on who was dealt
// what.
public class BlasProviderTests
{
    private const string Absent = "there is no OpenBLAS on this machine";

    public static TheoryData<int, int, int> Sizes => new() { { 8, 40, 70 }, { 5, 150, 33 }, { 3, 10, 257 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void WeightGradients_HaveTheSameBits_ForAnyDealOfTheSlices(int slices, int m, int n)
    {
        var blas = Provider("openblas:0:0:60000");
        var numbers = new Numbers(7);
        var starts = numbers.RowStarts(slices, 40);
        var (a, b) = (numbers.Floats(starts[^1] * m), numbers.Floats(starts[^1] * n));

        new Deal(slices, starts, m * n, (Span<float> c, int stride, int first, in Segments s) =>
        {
            using var theirs = blas.Enter();
            SegmentedGemm.Run(m, n, a.AsSpan(first * m, s.Rows * m), b.AsSpan(first * n, s.Rows * n), c, stride, s);
        }).Check(numbers);
    }

    [Fact]
    public void RowsOfASlice_HaveTheSameBits_WithAndWithoutTheOthers()
    {
        var blas = Provider("openblas:4000:0:0");
        var numbers = new Numbers(3);
        const int n = 45, k = 120, perSample = 3;
        int[] starts = [0, 1, 8, 8, 31];
        var rows = starts[^1] * perSample;
        var (a, b, bias) = (numbers.Floats(rows * k), numbers.Floats(n * k), numbers.Floats(n));
        var whole = new float[rows * n];
        using var theirs = blas.Enter();
        SlicedGemm.Run<float>(true, true, rows, n, k, a, b, k, whole, starts, bias, Activation.Relu);
        Assert.Contains(whole, v => v > 0);

        for (var i = 0; i < starts.Length - 1; i++)
        {
            var (from, count) = (starts[i] * perSample, (starts[i + 1] - starts[i]) * perSample);
            var alone = new float[count * n];
            SlicedGemm.Run<float>(true, true, count, n, k, a.AsSpan(from * k, count * k), b, k, alone,
                [0, starts[i + 1] - starts[i]], bias, Activation.Relu);
            Bits.Equal(whole.AsSpan(from * n, count * n), alone, $"slice {i}");
        }
    }

    // The size is that of a slice, not of the share; each kind of product has its own.
    [Fact]
    public void ASize_DecidesWhoComputesASlice()
    {
        const int n = 40, k = 300, small = 16, large = 17;
        int[] starts = [0, small, small + large];
        var numbers = new Numbers(13);
        var (a, b) = (numbers.Floats((small + large) * k), numbers.Floats(k * n));
        float[] Run(string? blas, bool isLinear)
        {
            var c = new float[(small + large) * n];
            using var theirs = blas is null ? default : Provider(blas).Enter();
            SlicedGemm.Run<float>(isLinear, false, small + large, n, k, a, b, n, c, starts);
            return c;
        }

        var (managed, library) = (Run(null, true), Run("openblas", true));
        Assert.NotEqual(managed[..(small * n)], library[..(small * n)]);
        Assert.NotEqual(managed[(small * n)..], library[(small * n)..]);
        var fromLarge = 2L * large * n * k;
        foreach (var (sizes, isLinear) in ((string, bool)[])[($"{fromLarge}:never:never", true), ($"never:{fromLarge}:never", false)])
        {
            var cut = Run($"openblas:{sizes}", isLinear);
            Bits.Equal(managed.AsSpan(0, small * n), cut.AsSpan(0, small * n), $"the small slice, {sizes}");
            Bits.Equal(library.AsSpan(small * n), cut.AsSpan(small * n), $"the large slice, {sizes}");
            Bits.Equal(managed, Run($"openblas:{sizes}", !isLinear), $"another kind of product, {sizes}");
        }
    }

    [Fact]
    public void Threads_ChangeNoBit()
    {
        var blas = Provider("openblas");
        var numbers = new Numbers(5);
        const int m = 300, n = 200, slices = 4;
        int[] starts = [0, 64, 128, 192, 250];
        var (a, b) = (numbers.Floats(250 * m), numbers.Floats(250 * n));
        float[] Run(int threads)
        {
            using var team = new ThreadTeam(threads);
            using var together = team.Enter();
            using var theirs = blas.Enter();
            var c = new float[m * n];
            SegmentedGemm.Run<float>(
                m, n, a, b, c, c.Length, new Segments(starts, 0, slices, [new TreeNode(2, 0)]));
            var y = new float[250 * n];
            SlicedGemm.Run<float>(false, false, 250, n, m, a, c, n, y, starts);
            return [.. c, .. y];
        }

        var one = Run(1);
        Bits.Equal(one, Run(3), "three threads");
        Assert.Contains(one, v => v != 0);
    }

    [Fact]
    public void ALibrary_IsNearTheManagedKernels()
    {
        var blas = Provider("openblas");
        var numbers = new Numbers(9);
        const int rows = 33, n = 20, k = 500;
        var (a, b) = (numbers.Floats(rows * k), numbers.Floats(k * n));
        var (ours, theirs) = (new float[rows * n], new float[rows * n]);
        SlicedGemm.Run<float>(false, false, rows, n, k, a, b, n, ours, [0, 16, 33]);
        using (blas.Enter()) SlicedGemm.Run<float>(false, false, rows, n, k, a, b, n, theirs, [0, 16, 33]);
        for (var i = 0; i < ours.Length; i++) Assert.Equal(ours[i], theirs[i], 1e-3f);
        Assert.Contains("openblas", blas.Identity);
        Assert.Equal(blas.Identity, Provider("openblas").Identity);
    }

    [Fact]
    public void WhatIsAbsent_IsSaidInOneLine()
    {
        // Accelerate is on macOS alone, ATLAS nowhere by default.
        var library = OperatingSystem.IsMacOS() ? "atlas" : "accelerate";
        var refused = Assert.Throws<UserException>(() => BlasProvider.ForJob(new JobSpec { Blas = library }));
        Assert.Equal(ExitCode.BadJob, refused.Code);
        Assert.StartsWith($"blas: {library} is not on this machine", refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Null(BlasProvider.ForJob(new JobSpec()));
        Assert.Contains("decided where a job is submitted",
            Assert.Throws<UserException>(() => BlasProvider.ForJob(new JobSpec { Blas = "auto" })).Message);
    }

    private static BlasProvider Provider(string blas)
    {
        Assert.SkipWhen(BlasProvider.Find(BlasLibrary.OpenBlas) is null, Absent);
        return BlasProvider.ForJob(new JobSpec { Blas = blas })!;
    }
}
