using System.Globalization;
using BenchmarkDotNet.Attributes;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>Benchmarks that run alone and with a team of threads.</summary>
public abstract class TeamBenchmarks
{
    private ThreadTeam? _team;

    [Params(1, 2)]
    public int Threads { get; set; } = 1;

    [GlobalSetup]
    public void Setup()
    {
        _team = new ThreadTeam(Threads);
        Prepare();
    }

    [GlobalCleanup]
    public void Cleanup() => _team?.Dispose();

    /// <summary>Makes the operands for the parameters that are set.</summary>
    protected abstract void Prepare();

    /// <summary>From here on the kernels of this thread belong to the team.</summary>
    protected ThreadTeam.Scope Together() => _team!.Enter();
}

internal static class Operands
{
    /// <summary>Numbers in [-1, 1) from a fixed generator.</summary>
    public static float[] Numbers(int count, uint seed = 1)
    {
        var numbers = new float[count];
        var state = (seed * 2_654_435_761u) | 1;
        for (var i = 0; i < count; i++)
        {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            numbers[i] = (state / 2147483648f) - 1f;
        }

        return numbers;
    }

    /// <summary>Three sizes from a text such as 128x512x784.</summary>
    public static (int, int, int) Shape(string text)
    {
        var sizes = text.Split('x').Select(s => int.Parse(s, CultureInfo.InvariantCulture)).ToArray();
        return (sizes[0], sizes[1], sizes[2]);
    }

    /// <summary>A multiplication and an addition for each triple of indices.</summary>
    internal static Work Product(string text)
    {
        var (m, n, k) = Shape(text);
        return new Work(Flops: 2.0 * m * n * k);
    }

    /// <summary>Starts of equal slices; the last one is the end of all.</summary>
    public static int[] Starts(int rows, int slices) =>
        [.. Enumerable.Range(0, slices + 1).Select(i => rows * i / slices)];

    public static TreeNode[] Cover(int slices) => new SliceTree(slices).Cover(0, slices);
}
