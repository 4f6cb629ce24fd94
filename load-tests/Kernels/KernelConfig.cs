using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// How everything here is measured: in this process, as the code was built; options of the command line (such as
/// <c>--iterationCount</c>) change the numbers below.
/// </summary>
internal sealed class KernelConfig : ManualConfig
{
    public KernelConfig()
    {
        // Iterations of 100 ms: long against a switch of threads, short against what a shared machine does.
        AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(4).WithIterationCount(12)
            .WithIterationTime(TimeInterval.FromMilliseconds(100)).AsDefault());
        AddDiagnoser(MemoryDiagnoser.Default);
        AddColumnProvider(DefaultColumnProviders.Instance);
        AddColumn(new RateColumn("GFLOP/s", w => w.Flops), new RateColumn("GB/s", w => w.Bytes));
        AddLogger(ConsoleLogger.Default);
        AddExporter(MarkdownExporter.GitHub, JsonExporter.BriefCompressed);
        WithOptions(ConfigOptions.JoinSummary);
        // Names such as "layer of 64, batch 16" are told apart at their end.
        WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(48));
    }
}
