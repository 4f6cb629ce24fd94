using BenchmarkDotNet.Running;
using Convoy.LoadTests.Kernels;

// Speed and allocations of kernels, operators and steps. README.md beside this file has the commands.
BenchmarkSwitcher.FromAssembly(typeof(TeamBenchmarks).Assembly).Run(args, new KernelConfig());
