// Long runs of the fuzzer: dotnet run -c Release --project load-tests/Fuzz -- [--inputs N | --connections N] [--seed S]
// [--at I] One JSON line at each tenth of the run, one at its end; exit code 1 with the finding when there is one. --at
// runs one input again; --connections damages what is said to a real listener with certificates.
using System.Globalization;
using Convoy.Fuzz.Targets;

var inputs = Number("--inputs", 20_000_000);
var seed = (ulong)Number("--seed", 1);
var at = Number("--at", -1);
var time = TimeProvider.System;
var connections = (int)Number("--connections", 0);
if (connections > 0) return await FuzzConnectionsAsync();
var fuzzer = new Fuzzer(seed, [.. WireTargets.All(), .. CredentialTargets.All(time.GetUtcNow())], time).Warmed();
if (at >= 0) return End(fuzzer.One(at), 1);

End(fuzzer.Run(0, Math.Min(inputs, 100_000)), 0); // warm: code, pools, the platform's tables
var (memoryBefore, handlesBefore) = Memory();
var began = time.GetTimestamp();
Finding? finding = null;
for (var tenth = 0; tenth < 10 && finding is null; tenth++)
{
    finding = fuzzer.Run(tenth * (inputs / 10), inputs / 10);
    var (managed, resident) = Memory();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $$"""{"inputs": {{(tenth + 1) * (inputs / 10)}}, "managed_kb": {{managed >> 10}}, "resident_kb": {{resident >> 10}}}"""));
}

var seconds = time.GetElapsedTime(began).TotalSeconds;
var (memoryAfter, residentAfter) = Memory();
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $$"""{"seed": {{seed}}, "inputs": {{inputs}}, "seconds": {{seconds:0.0}}, "inputs_per_second": {{inputs / seconds:0}}, "accepted": {{fuzzer.AcceptedCount}}, "managed_kb_before": {{memoryBefore >> 10}}, "managed_kb_after": {{memoryAfter >> 10}}, "resident_kb_before": {{handlesBefore >> 10}}, "resident_kb_after": {{residentAfter >> 10}}, "longest_ms": {{fuzzer.LongestTicks * 1e3 / time.TimestampFrequency:0.0}}, "allocated_most": {{fuzzer.AllocatedMost}}}"""));
return End(finding, 1);

async Task<int> FuzzConnectionsAsync()
{
    var (managed, resident) = Memory();
    var start = time.GetTimestamp();
    var fuzz = new ConnectionFuzz(seed);
    await fuzz.RunAsync(connections, done => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $$"""{"connections": {{done}}, "managed_kb": {{Memory().Managed >> 10}}, "resident_kb": {{Environment.WorkingSet >> 10}}}""")));
    var taken = time.GetElapsedTime(start).TotalSeconds;
    var after = Memory();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $$"""{"seed": {{seed}}, "connections": {{connections}}, "seconds": {{taken:0.0}}, "connections_per_second": {{connections / taken:0}}, "refused": {{fuzz.RefusedCount}}, "log_lines": {{fuzz.RefusalLines}}, "managed_kb_before": {{managed >> 10}}, "managed_kb_after": {{after.Managed >> 10}}, "resident_kb_before": {{resident >> 10}}, "resident_kb_after": {{after.Resident >> 10}}}"""));
    return 0;
}

static int End(Finding? finding, int code)
{
    if (finding is null) return 0;
    Console.Error.WriteLine(finding);
    if (code == 0) Environment.Exit(1);
    return code;
}

static (long Managed, long Resident) Memory() => (GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);

long Number(string name, long usual)
{
    var place = Array.IndexOf(args, name);
    return place < 0 ? usual : long.Parse(args[place + 1], NumberStyles.None, CultureInfo.InvariantCulture);
}
