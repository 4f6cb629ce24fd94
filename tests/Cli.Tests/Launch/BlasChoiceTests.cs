using Convoy.Cli.Bench;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Tests.Launch;

/// <summary>DEV-13: who multiplies is measured once, where a job is submitted, and written into the job.</summary>
public sealed class BlasChoiceTests
{
    private static readonly Timing Quick = new(TimeProvider.System, TimeSpan.FromMilliseconds(1));

    // Widths 32, 64, 128, 256, 512; from the smallest on from which the library stays ahead.
    [Theory]
    [InlineData("0.5 0.5 0.5 0.5 0.5", BlasSpec.Never)]
    [InlineData("2 2 2 2 0.9", BlasSpec.Never)]
    [InlineData("2 0.5 2 2 2", 2L * 10 * 128 * 128)]
    [InlineData("1.2 1.2 1.2 1.2 1.2", 2L * 10 * 32 * 32)]
    [InlineData("2 2 2 2 1.05", BlasSpec.Never)]
    public void The_size_is_the_smallest_from_which_the_library_stays_ahead(string ahead, long from)
    {
        var measured = ahead.Split(' ').Select(a => double.Parse(a, System.Globalization.CultureInfo.InvariantCulture));
        var byWidth = ((int[])[32, 64, 128, 256, 512]).Zip(measured).ToDictionary(p => p.First, p => p.Second);

        Assert.Equal(from, BlasChoice.From(10, width => byWidth[width]));
    }

    [Fact]
    public void Without_a_library_the_kernels_of_Convoy_compute() =>
        Assert.Equal(BlasSpec.Managed, BlasChoice.Choose(16, Quick, _ => null));

    // One that computes wrongly is as good as none: auto had ended the job.
    [Fact]
    public void A_library_that_is_refused_is_passed_over()
    {
        var asked = new List<BlasLibrary>();

        var chosen = BlasChoice.Choose(16, Quick, library =>
        {
            asked.Add(library);
            throw new UserException(ExitCode.BadJob, "its products are wrong");
        });

        Assert.Equal(BlasSpec.Managed, chosen);
        Assert.True(asked.Count > 1, "the next one is tried");
    }

    [Fact]
    public void Auto_is_written_into_the_job_as_what_was_chosen()
    {
        using var output = new StringWriter();
        var streams = new CliStreams(output, TextWriter.Null, Interactive: false);
        var context = new CliContext(streams, false, TimeProvider.System);
        var job = new JobSpec { Blas = "auto", Batch = 32, Slices = 4 };

        var decided = BlasChoice.Decide(job, context);

        var spec = BlasSpec.Parse(decided.Blas, out var broken);
        Assert.Null(broken);
        Assert.NotNull(spec.Library);
        Assert.Contains($"auto chose {decided.Blas}", output.ToString(), StringComparison.Ordinal);
        if (BlasProvider.Find(BlasLibrary.Mkl) is null && BlasProvider.Find(BlasLibrary.OpenBlas) is null)
            Assert.Equal(BlasLibrary.Managed, spec.Library);
        Assert.Same(decided, BlasChoice.Decide(decided, context));
    }
}
