using Convoy.Cli.Bench;
using Convoy.Cli.Terminal;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Cli.Launch;

/// <summary>
/// Decides blas: auto (DEV-13) once for a job, so that all workers compute alike: the choice is written into the job
/// that is submitted. Each kind of product is measured at the rows of a slice, one thread, side by side; the library
/// gets it from the smallest size on from which it stays ahead.
/// </summary>
internal static class BlasChoice
{
    // Less is noise, and not worth another library.
    private const double AheadBy = 1.1;
    private const int RowsMax = 1_024;
    private static readonly TimeSpan BudgetPerSize = TimeSpan.FromMilliseconds(3);
    private static readonly int[] Widths = [32, 64, 128, 256, 512];

    public static JobSpec Decide(JobSpec job, CliContext context)
    {
        if (BlasSpec.Of(job).Library is not null) return job;
        var chosen = Choose(RowsOf(job), new Timing(context.Time, BudgetPerSize), Usable);
        context.Line($"blas: auto chose {chosen}");
        return job with { Blas = chosen.ToString() };
    }

    private static BlasProvider? Usable(BlasLibrary library) => BlasProvider.Find(library) is null
        ? null : BlasProvider.ForJob(new JobSpec { Blas = BlasSpec.NameOf(library) });

    /// <summary>The library of this machine and its sizes; managed where there is none, or none is ahead.</summary>
    /// <param name="rows">Of a slice.</param>
    /// <param name="timing">Of each kind of product.</param>
    /// <param name="usable">The library, checked; null where it is not here.</param>
    internal static BlasSpec Choose(int rows, Timing timing, Func<BlasLibrary, BlasProvider?> usable)
    {
        BlasLibrary[] preferred = OperatingSystem.IsMacOS()
            ? [BlasLibrary.Accelerate, BlasLibrary.OpenBlas]
            : [BlasLibrary.Mkl, BlasLibrary.OpenBlas, BlasLibrary.Atlas];
        foreach (var library in preferred)
        {
            if (Find(library, usable) is not { } blas) continue;
            var spec = new BlasSpec(library,
                From(rows, width => Linear(blas, rows, width, timing)),
                From(rows, width => Product(blas, rows, width, timing)),
                From(rows, width => Weights(blas, rows, width, timing)));
            if (Math.Min(Math.Min(spec.LinearFrom, spec.MatMulFrom), spec.WeightsFrom) < BlasSpec.Never) return spec;
        }

        return BlasSpec.Managed;
    }

    private static BlasProvider? Find(BlasLibrary library, Func<BlasLibrary, BlasProvider?> usable)
    {
        try
        {
            return usable(library);
        }
        catch (UserException)
        {
            // It is here and computes wrongly: nobody asked for this one by name, so the next is tried.
            return null;
        }
    }

    /// <summary>The smallest size from which every larger one is faster too.</summary>
    internal static long From(int rows, Func<int, double> aheadAt)
    {
        var from = BlasSpec.Never;
        for (var i = Widths.Length - 1; i >= 0; i--)
        {
            if (aheadAt(Widths[i]) < AheadBy) break;
            from = 2L * rows * Widths[i] * Widths[i];
        }

        return from;
    }

    private static int RowsOf(JobSpec job)
    {
        var samples = ((job.Batch - 1) / (job.Slices * job.MicroBatches)) + 1;
        var tokens = job.Model.Family == "gpt" ? job.Model.Context : 1;
        return (int)Math.Clamp((long)samples * tokens, 1, RowsMax);
    }

    private static double Linear(BlasProvider blas, int rows, int width, Timing timing) =>
        Rows(blas, true, true, rows, width, timing);

    private static double Product(BlasProvider blas, int rows, int width, Timing timing) =>
        Rows(blas, false, false, rows, width, timing);

    private static double Rows(BlasProvider blas, bool isLinear, bool tb, int rows, int width, Timing timing)
    {
        var (a, b, c) = (Numbers(rows * width), Numbers(width * width), new float[rows * width]);
        int[] starts = [0, rows];
        return Ahead(blas, timing,
            () => SlicedGemm.Run<float>(isLinear, tb, rows, width, width, a, b, width, c, starts));
    }

    private static double Weights(BlasProvider blas, int rows, int width, Timing timing)
    {
        var (a, b, c) = (Numbers(rows * width), Numbers(rows * width), new float[width * width]);
        int[] starts = [0, rows];
        TreeNode[] root = [new TreeNode(0, 0)];
        return Ahead(blas, timing, () =>
            SegmentedGemm.Run<float>(width, width, a, b, c, c.Length, new Segments(starts, 0, 1, root)));
    }

    private static double Ahead(BlasProvider blas, Timing timing, Action product)
    {
        var times = timing.Measure(product, () =>
        {
            using var theirs = blas.Enter();
            product();
        });
        return times[0].Median / times[1].Median;
    }

    private static float[] Numbers(int count)
    {
        var numbers = new float[count];
        new RandomStream(1, RandomPurpose.Mask, (ulong)count).FillUniform(numbers, 0, -1, 1);
        return numbers;
    }
}
