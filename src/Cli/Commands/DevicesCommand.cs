using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Kernels;

namespace Convoy.Cli.Commands;

/// <summary>Lists what can compute here: the processor, and every OpenCL device (DEV-01).</summary>
internal sealed class DevicesCommand() : CliCommand("devices", "List the devices of this machine that can compute.",
    "convoy devices", "convoy devices --json")
{
    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        context.Line($"cpu       {SimdInfo.Name}, {Environment.ProcessorCount} cores, {Diagnosis.Gigabytes(memory)}");
        var devices = Accelerator.Devices(out var missing);
        foreach (var d in devices)
        {
            context.Line($"{d.Name,-9} {d.Model} ({d.Kind}, {d.Platform} {d.Driver}), {d.ComputeUnits} units, "
                + $"{Diagnosis.Gigabytes(d.MemoryBytes)}, {(d.HasFloat64 ? "float32 and float64" : "float32")}");
            if (d.Fault is { } fault) context.Line($"          cannot be used: it {fault}");
        }

        if (missing is not null) context.Line(missing);
        context.Result(new
        {
            Cpu = new { Simd = SimdInfo.Name, Cores = Environment.ProcessorCount, MemoryBytes = memory },
            Accelerators = devices,
            Missing = missing,
        });
        return Task.FromResult(0);
    }
}
