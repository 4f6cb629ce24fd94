using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Graphs;

/// <summary>OPT-14: what the caches of a machine mean for a graph.</summary>
public sealed class CachePlanTests
{
    private static readonly CacheHierarchy Small = CacheHierarchy.Of(32 << 10, 256 << 10, 4 << 20);
    private readonly GraphBuilder _b = new();

    private CachePlan Plan(int rows, CacheHierarchy? caches = null) => CachePlan.Of(_b.Build(), rows, caches ?? Small);

    [Theory]
    [InlineData(16, "L1", 0)]
    [InlineData(400, "L2", 0)]
    [InlineData(8_000, "L3", 8)]
    [InlineData(80_000, "memory", 22)]
    public void AStream_LiesInTheLevelThatHoldsIt(int rows, string home, int ahead)
    {
        _b.Output("y", _b.Input("x", DType.Float32, Dim.Batch, 50).Tanh());
        var node = Assert.Single(Plan(rows).Nodes);
        Assert.Equal((2 * 200L * rows, home, ahead), (node.WorkingSetBytes, node.Home, node.PrefetchLines));
        // One load of sixteen begins a line, unless all lies in the first level.
        Assert.Equal(home == "L1" ? 1 : 15 / 16.0, node.HitRate, 6);
        Assert.Null(node.Tiles);
    }

    [Fact]
    public void FartherLevels_AreSlower()
    {
        _b.Output("y", _b.Input("x", DType.Float32, Dim.Batch, 50).Tanh());
        var nodes = ((int[])[16, 400, 8_000, 80_000]).Select(r => Plan(r).Nodes[0]).ToList();
        for (var i = 1; i < nodes.Count; i++)
        {
            Assert.True(nodes[i].LatencyNs > nodes[i - 1].LatencyNs);
            Assert.True(nodes[i].GigaBytesPerS < nodes[i - 1].GigaBytesPerS);
        }
    }

    [Fact]
    public void TilesOfAProduct_FillHalfOfTheirLevels()
    {
        var x = _b.Input("x", DType.Float32, Dim.Batch, 1_000);
        _b.Output("y", x.Linear(_b.Parameter("w", ParameterInit.Normal(1), 300, 1_000)));
        var small = Plan(500).Nodes[0].Tiles!;
        var large = Plan(500, CacheHierarchy.Of(48 << 10, 2 << 20, 64 << 20)).Nodes[0].Tiles!;
        Assert.Equal(Order.Block, small.Terms);
        Assert.InRange(small.Rows * small.Terms * sizeof(float), (128 << 10) - (6 * 1024), 128 << 10);
        Assert.InRange(
            small.Columns * small.Terms * sizeof(float), (2 << 20) - (Gemm.RegisterTile.Columns * 1024), 2 << 20);
        Assert.True(large.Rows > small.Rows && large.Columns > small.Columns);
    }

    // OPT-14: with AVX-512 a tile of registers has 32 columns; sixteen were planned on every machine.
    [Fact]
    public void TilesOfAProduct_AreWholeTilesOfRegisters()
    {
        // Room for 58 rows and 8,208 columns of 256 terms.
        _b.Output("y", _b.Input("x", DType.Float32, Dim.Batch, 256)
            .Linear(_b.Parameter("w", ParameterInit.Normal(1), 300, 256)));

        var tiles = Plan(500, CacheHierarchy.Of(32 << 10, 58 << 11, 8_208 << 11)).Nodes[0].Tiles!;

        Assert.Equal((54, 8_208 / (2 * SimdInfo.Lanes) * 2 * SimdInfo.Lanes), (tiles.Rows, tiles.Columns));
    }

    [Fact]
    public void Layouts_AreAdvised()
    {
        var (a, c) = (_b.Input("a", DType.Float32, Dim.Batch, 1_024), _b.Input("c", DType.Float32, Dim.Batch, 1_000));
        _b.Output("aligned", a.Linear(_b.Parameter("w", ParameterInit.Normal(1), 8, 1_024)));
        _b.Output("plain", c.Linear(_b.Parameter("v", ParameterInit.Normal(1), 8, 1_000)));
        var nodes = Plan(64).Nodes;
        Assert.Contains("padding", nodes[0].Advice, StringComparison.Ordinal);
        Assert.Equal("", nodes[1].Advice);
        Assert.Contains("GB/s", Plan(64).Lines().First(), StringComparison.Ordinal);
    }

    [Fact]
    public void ThisMachine_HasCaches()
    {
        var levels = CacheHierarchy.OfThisMachine.Levels;
        Assert.Equal("memory", levels[^1].Name);
        for (var i = 1; i < levels.Count; i++) Assert.True(levels[i].Bytes > levels[i - 1].Bytes);
    }
}
