using System.CommandLine;
using System.Globalization;
using Convoy.Autodiff.Execution;
using Convoy.Cli.Bench;
using Convoy.Cli.Terminal;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Commands;

/// <summary>Measures this machine's kernels and training steps beside what it can do at best.</summary>
internal sealed class BenchComputeCommand : CliCommand
{
    private static readonly string[] Families = ["compile", "gemm", "conv", "elements", "step"];

    private readonly ThreadsOption _threads = new("1");
    private readonly Option<string[]> _only = new("--only")
    {
        Description = $"Families to measure: {string.Join(", ", Families)}; without it all.",
        HelpName = "FAMILY",
        AllowMultipleArgumentsPerToken = true,
    };
    private readonly Option<int> _slices = new("--slices")
    {
        Description = "Slices of the batch in the training steps, beside the same steps with one slice.",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<bool> _profile = new("--profile")
    {
        Description = "Also time, operations, bytes and percent of the ceiling of each operator of the training steps.",
    };

    private readonly BaselineOptions _baseline = new();

    public BenchComputeCommand() : base("compute", "Measure kernels and training steps of one device.",
        "convoy bench compute", "convoy bench compute --only compile",
        "convoy bench compute --threads 2 --only gemm step --json",
        "convoy bench compute --only step --slices 8 --profile",
        "convoy bench compute --only gemm step --save before.json",
        "convoy bench compute --only gemm step --against before.json --html change.html")
    {
        _only.AcceptOnlyFromAmong(Families);
        Add(_threads);
        Add(_only);
        Add(_slices);
        Add(_profile);
        _baseline.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var threads = _threads.Read(arguments, 1);
        var only = arguments.GetValue(_only) is { Length: > 0 } some ? some : Families;
        CheckSteps(arguments, only);
        // A file that cannot be read should not cost the minutes of a measurement.
        var before = _baseline.Read(arguments);
        var entries = new List<BaselineEntry>();
        using var team = new ThreadTeam(threads);
        using var together = team.Enter();
        var timing = new Timing(context.Time, TimeSpan.FromMilliseconds(300));
        if (only.Contains("compile")) Report(context, entries, new CompileBench(timing, context.Time).Run());
        if (only.Any(family => family != "compile")) Execute(arguments, context, entries, only, threads, timing);
        return Task.FromResult(_baseline.Finish(arguments, context, before, Baseline.Of(context.Time, entries)));
    }

    private void CheckSteps(ParseResult arguments, string[] only)
    {
        var slices = arguments.GetValue(_slices);
        if (slices is < 1 or > Limits.SlicesMax)
            throw new UserException(ExitCode.Usage, $"--slices {slices} is not within 1 to {Limits.SlicesMax}");
        if ((slices > 1 || arguments.GetValue(_profile)) && !only.Contains("step"))
            throw new UserException(
                ExitCode.Usage, "--slices and --profile are about training steps: add step to --only");
    }

    private void Execute(
        ParseResult arguments, CliContext context, List<BaselineEntry> entries, string[] only, int threads,
        Timing timing)
    {
        var ceilings = Ceilings.Measure(threads, timing);
        var blas = BlasProvider.Find(BlasLibrary.OpenBlas, threads);
        context.Line(string.Create(CultureInfo.InvariantCulture,
            $"{SimdInfo.Name}, {threads} threads: {ceilings.GigaFlops:0.0} GFLOP/s ({ceilings.GigaFlopsOfOne:0.0} with one), " +
            $"{ceilings.GigaBytes:0.00} GB/s both ways and {ceilings.GigaBytesRead:0.00} GB/s read at best; " +
            $"OpenBLAS {(blas is null ? "is not on this machine" : "in the same process")}"));
        using var alone = new ThreadTeam(1);
        var kernels = new KernelBench(threads, alone, timing, blas);
        if (only.Contains("gemm")) Report(context, entries, kernels.Products());
        if (only.Contains("conv")) Report(context, entries, kernels.Convolutions());
        if (only.Contains("elements")) Report(context, entries, kernels.Elements());
        if (only.Contains("step"))
            foreach (var result in new StepBench(threads, arguments.GetValue(_slices), timing, context.Time)
                .Run(arguments.GetValue(_profile)))
                Report(context, entries, result, ceilings);
    }

    // The first time is none of the baseline: one call has no spread to tell a change from a busy minute.
    private static void Report(CliContext context, List<BaselineEntry> entries, CompileResult r)
    {
        context.Line(string.Create(CultureInfo.InvariantCulture,
            $"compile {r.Model}: {r.FirstMs:0} ms the first time in a process, then {r.Ms:0.0} ms ±{r.Variation,3:0%}"));
        context.Result(r);
        entries.Add(new BaselineEntry($"compile {r.Model}", r.Ms * 1000, r.Variation, r.AllocatedBytes)
        {
            MeanUs = r.MeanMs * 1000, DeviationUs = r.DeviationMs * 1000, Calls = r.Calls,
        });
    }

    private static void Report(CliContext context, List<BaselineEntry> entries, IEnumerable<KernelResult> results)
    {
        foreach (var r in results)
        {
            var rate = r.Gflops is { } g ? $"{g,8:0.0} GFLOP/s" : $"{r.Gbs,8:0.00} GB/s   ";
            var one = r.OfOneThread is { } t ? string.Create(CultureInfo.InvariantCulture, $"  {t:0.00} of one thread") : "";
            var peer = r.OfOpenblas is { } o ? string.Create(CultureInfo.InvariantCulture, $"  {o:0.00} of OpenBLAS") : "";
            context.Line(string.Create(CultureInfo.InvariantCulture,
                $"{r.Kernel,-18} {r.Shape,-38} {r.Us,10:0.0} us ±{r.Variation,4:0%} {rate}  {r.OfCeiling,4:0%} of {r.Bound ?? "ceiling"}{one}{peer}"));
            context.Result(r);
            entries.Add(new BaselineEntry(
                $"{r.Kernel} {r.Shape}, {r.Threads} threads", r.Us, r.Variation, r.AllocatedBytes)
            {
                MeanUs = r.MeanUs, DeviationUs = r.DeviationUs, Calls = r.Calls,
            });
        }
    }

    private static string Row(StepTiming t, Ceilings ceilings)
    {
        var (share, bound) = ceilings.ShareOf(t.Flops, t.Bytes, t.TotalMs);
        return string.Create(CultureInfo.InvariantCulture,
            $"  {t.MeanMs,9:0.000} ms {t.GigaFlops,7:0.0} GFLOP/s {t.GigaBytes,6:0.0} GB/s {share,4:0%} of {bound,-10}  {t.Step}");
    }

    private static object Entry(StepTiming t, Ceilings ceilings)
    {
        var (share, bound) = ceilings.ShareOf(t.Flops, t.Bytes, t.TotalMs);
        return new
        {
            t.Step, t.Operator, t.Calls, Ms = Math.Round(t.MeanMs, 4), MinMs = Math.Round(t.MinMs, 4),
            MaxMs = Math.Round(t.MaxMs, 4), Flops = t.Flops / t.Calls, Bytes = t.Bytes / t.Calls, OfCeiling = share,
            Bound = bound,
        };
    }

    private static void Report(CliContext context, List<BaselineEntry> entries, StepResult r, Ceilings ceilings)
    {
        var beside = r.OfOneSlice is { } of
            ? string.Create(CultureInfo.InvariantCulture, $", {of:0.00} of the time with one slice") : "";
        context.Line(string.Create(CultureInfo.InvariantCulture,
            $"{r.Model,-24} {r.Slices} slices {r.Ms,9:0.000} ms ±{r.Variation,4:0%} {r.SamplesPerS,10:0.0} samples/s  " +
            $"{r.AllocatedBytes} bytes allocated a step{beside}"));
        foreach (var t in r.Operators) context.Line(Row(t, ceilings));
        if (r.Profile.Count > 0) context.Line("  of which the longest steps");
        foreach (var t in r.Profile.Take(24)) context.Line(Row(t, ceilings));
        context.Result(new
        {
            r.Model, r.Threads, r.Slices, r.Params, r.Ms, r.MeanMs, r.DeviationMs, r.Calls, r.SamplesPerS, r.Variation,
            r.AllocatedBytes, r.PlannedBytes, r.OfOneSlice,
            Operators = r.Operators.Select(t => Entry(t, ceilings)),
            Profile = r.Profile.Select(t => Entry(t, ceilings)),
        });
        entries.Add(new BaselineEntry(
            $"{r.Model}, {r.Threads} threads, {r.Slices} slices", r.Ms * 1000, r.Variation, r.AllocatedBytes)
        {
            MeanUs = r.MeanMs * 1000, DeviationUs = r.DeviationMs * 1000, Calls = r.Calls,
            PlannedBytes = r.PlannedBytes,
        });
    }
}
