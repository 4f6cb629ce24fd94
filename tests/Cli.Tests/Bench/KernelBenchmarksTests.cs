using System.Reflection;
using BenchmarkDotNet.Attributes;
using Convoy.LoadTests.Kernels;

namespace Convoy.Cli.Tests.Bench;

// TEST-08 to TEST-12 (TEST-09: gradients, TEST-10: the tape, passes): every benchmark of load-tests/Kernels runs, at
// its smallest size.
public sealed class KernelBenchmarksTests
{
    public static IEnumerable<TheoryDataRow<Type>> Classes => typeof(TeamBenchmarks).Assembly.GetTypes()
        .Where(t => !t.IsAbstract && Methods<BenchmarkAttribute>(t).Any())
        .OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => new TheoryDataRow<Type>(t));

    public static IEnumerable<TheoryDataRow<SpeedUpBenchmarks.Kernel>> Kernels =>
        Enum.GetValues<SpeedUpBenchmarks.Kernel>().Select(k => new TheoryDataRow<SpeedUpBenchmarks.Kernel>(k));

    [Theory]
    [MemberData(nameof(Classes))]
    public void A_class_runs_and_knows_its_work(Type type)
    {
        var benchmarks = Activator.CreateInstance(type)!;
        foreach (var setup in Methods<GlobalSetupAttribute>(type)) setup.Invoke(benchmarks, []);
        foreach (var method in Methods<BenchmarkAttribute>(type))
        {
            method.Invoke(benchmarks, []);
            if (benchmarks is not ICounted counted) continue;
            var work = counted.WorkOf(method.Name);
            Assert.True(work.Flops > 0 ^ work.Bytes > 0, $"{type.Name}.{method.Name} counts {work}");
        }

        foreach (var cleanup in Methods<GlobalCleanupAttribute>(type)) cleanup.Invoke(benchmarks, []);
    }

    // TEST-08: einsum, unary, binary, reductions, logic; with and without the pool.
    [Fact]
    public void Every_operator_runs_with_and_without_a_pool()
    {
        foreach (var family in (string[])["einsum", "unary", "binary", "reduce", "logic"])
            Assert.Contains(OperatorBenchmarks.Names, n => n.StartsWith(family, StringComparison.Ordinal));
        foreach (var name in OperatorBenchmarks.Names)
        {
            var (off, on) = (Ready(name, pool: false), Ready(name, pool: true));
            Assert.Equal(off.Run(), on.Run());
            Assert.Equal(off.Run(), on.Run());
            Assert.Equal((0, true), (off.Reuses, on.Reuses > 0));
        }
    }

    // TEST-10: each pass finds something to do in the graph it is measured on.
    [Fact]
    public void Every_pass_has_work()
    {
        foreach (var name in PassBenchmarks.Names)
        {
            var benchmark = new PassBenchmarks { Pass = name };
            benchmark.Setup();
            var (before, after) = (benchmark.Nodes, benchmark.Run());
            if (name == "gradients") Assert.True(after > before, name);
            else if (name is "merge einsums" or "reorder operators" or "fold constants")
                Assert.InRange(after, 1, before);
            else Assert.True(after > 0 && after < before, $"{name}: {before} to {after}");
        }
    }

    // TEST-11: the three speeds are compared on equal results.
    [Theory]
    [MemberData(nameof(Kernels))]
    public void Plain_loops_vectors_and_threads_have_the_same_bits(SpeedUpBenchmarks.Kernel kernel)
    {
        var plain = BitsOf(kernel, b => b.Scalars());

        Assert.Equal(plain, BitsOf(kernel, b => b.Vectors()));
        Assert.Equal(plain, BitsOf(kernel, b => b.VectorsAndThreads()));
    }

    private static OperatorBenchmarks Ready(string name, bool pool)
    {
        var benchmarks = new OperatorBenchmarks { Operator = name, Pool = pool };
        benchmarks.Setup();
        return benchmarks;
    }

    private static int[] BitsOf(SpeedUpBenchmarks.Kernel kernel, Action<SpeedUpBenchmarks> run)
    {
        var benchmarks = new SpeedUpBenchmarks { Of = kernel };
        benchmarks.Setup();
        run(benchmarks);
        benchmarks.Cleanup();
        return [.. benchmarks.Result.ToArray().Select(BitConverter.SingleToInt32Bits)];
    }

    private static IEnumerable<MethodInfo> Methods<TAttribute>(Type type) where TAttribute : Attribute =>
        type.GetMethods().Where(m => m.GetCustomAttribute<TAttribute>() is not null);
}
