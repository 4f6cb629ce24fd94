using BenchmarkDotNet.Running;
using Convoy.LoadTests.Kernels;

// Speed and allocations of kernels, operators and steps; compare: beside other systems. README.md beside this file has
// the commands.
if (args is ["compare", ..]) return Comparison.Run(Console.Out, args.Length > 1 ? args[1..] : ["python3", "python"]);
var summaries = BenchmarkSwitcher.FromAssembly(typeof(TeamBenchmarks).Assembly).Run(args, new KernelConfig()).ToList();
// A filter that meets nothing measured nothing: no success for a script.
if (summaries.Count == 0) return args.Any(a => a is "--list" or "--help" or "--info" or "--version") ? 0 : 2;
return summaries.All(s => s.Reports.All(r => r.Success)) ? 0 : 1;
