using BenchmarkDotNet.Running;
using Convoy.LoadTests.Kernels;

// Speed and allocations of kernels, operators and steps; compare: beside other systems. README.md beside this file has
// the commands.
if (args is ["compare", ..]) return Comparison.Run(Console.Out, args.Length > 1 ? args[1..] : ["python3", "python"]);
BenchmarkSwitcher.FromAssembly(typeof(TeamBenchmarks).Assembly).Run(args, new KernelConfig());
return 0;
