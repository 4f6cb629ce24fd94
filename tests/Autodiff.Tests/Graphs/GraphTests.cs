using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Graphs;

/// <summary>GIR-01, GIR-04, GIR-05: verifier, codec, printer, statistics, levels.</summary>
public sealed class GraphTests
{
    public static TheoryData<string> Models() => [.. SmallModels.Names];

    [Theory]
    [MemberData(nameof(Models))]
    public void EncodedGraphs_ComeBackEqual(string model)
    {
        var graph = SmallModels.Build(model);
        var bytes = GraphCodec.Encode(graph);
        var decoded = GraphCodec.Decode(bytes);
        Assert.Equal(bytes, GraphCodec.Encode(decoded));
        Assert.Equal(GraphPrinter.Text(graph), GraphPrinter.Text(decoded));
        Assert.Equal(GraphCodec.Sha256(graph), GraphCodec.Sha256(decoded));
    }

    [Fact]
    public void EveryPrefix_IsRefused()
    {
        var bytes = GraphCodec.Encode(SmallModels.Build("mlp"));
        for (var length = 0; length < bytes.Length; length++)
        {
            var part = bytes.AsMemory(0, length);
            Assert.Throws<GraphFormatException>(() => GraphCodec.Decode(part.Span));
        }

        Assert.Throws<GraphFormatException>(() => GraphCodec.Decode([.. bytes, 0]));
    }

    [Fact]
    public void DamagedBytes_AreRefusedOrDecodeToALegalGraph()
    {
        var bytes = GraphCodec.Encode(SmallModels.Build("gpt"));
        var random = new RandomStream(23, RandomPurpose.Mask, 0);
        for (var i = 0; i < 4_000; i++)
        {
            var damaged = bytes.ToArray();
            for (var k = 0; k < 1 + (i % 3); k++)
                damaged[(int)(random.Word((8 * i) + (2 * k)) % (uint)damaged.Length)] =
                    (byte)random.Word((8 * i) + (2 * k) + 1);
            try
            {
                Assert.Null(GraphVerifier.FirstFault(GraphCodec.Decode(damaged)));
            }
            catch (GraphFormatException e)
            {
                Assert.StartsWith("graph, offset ", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void ACountBeyondTheLimit_IsRefusedBeforeAnythingIsMade()
    {
        byte[] bytes = [.. "CVYG"u8, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F];
        var refused = Assert.Throws<GraphFormatException>(() => GraphCodec.Decode(bytes));
        Assert.Contains("above the limit", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheVerifierNamesTheRule()
    {
        var graph = SmallModels.Build("mlp");
        var swapped = graph.Nodes.SetItem(4, graph.Nodes[4] with { Inputs = [new ValueRef(9, 0), new ValueRef(1, 0)] });
        Assert.StartsWith("GV-2", GraphVerifier.FirstFault(new Graph(swapped, graph.Outputs)),
            StringComparison.Ordinal);
        var mistyped = graph.Nodes.SetItem(4, graph.Nodes[4] with { Types = [new TensorType(DType.Float32, 3)] });
        Assert.StartsWith("GV-3", GraphVerifier.FirstFault(new Graph(mistyped, graph.Outputs)),
            StringComparison.Ordinal);
        var renamed = graph.Nodes.SetItem(4, graph.Nodes[4] with { Name = "x" });
        Assert.StartsWith("GV-4", GraphVerifier.FirstFault(new Graph(renamed, graph.Outputs)),
            StringComparison.Ordinal);
        var missing = new Graph(graph.Nodes, [new GraphOutput("out", new ValueRef(1_000, 0))]);
        Assert.StartsWith("GV-5", GraphVerifier.FirstFault(missing), StringComparison.Ordinal);
    }

    [Fact]
    public void ABuilderRefusesStrangersAndWrongShapes()
    {
        var (a, b) = (new GraphBuilder(), new GraphBuilder());
        var x = a.Input("x", DType.Float32, Dim.Batch, 3);
        var y = b.Input("x", DType.Float32, Dim.Batch, 3);
        Assert.Throws<ShapeException>(() => x + y);
        Assert.Throws<ShapeException>(() => a.Input("x", DType.Float32, 2));
        var refused = Assert.Throws<ShapeException>(() => x.Linear(a.Parameter("w", ParameterInit.Zeros, 2, 4)));
        Assert.Contains("linear: rows of 3 do not fit a weight of [2, 4]", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => x.Mean());
        Assert.Throws<ShapeException>(() => x.Slice(0, 0, 1));
    }

    [Fact]
    public void Printers_ShowNodesTypesAndOutputs()
    {
        var graph = SmallModels.Build("gpt");
        var text = GraphPrinter.Text(graph);
        Assert.Contains("block00.qkv.weight: float32[24, 8] = parameter()", text, StringComparison.Ordinal);
        Assert.Contains("float32[N, 6, 8]", text, StringComparison.Ordinal);
        Assert.Contains("output loss_sum", text, StringComparison.Ordinal);
        var dot = GraphPrinter.Dot(graph);
        Assert.StartsWith("digraph model {", dot, StringComparison.Ordinal);
        Assert.Equal(dot.Count(c => c == '{'), dot.Count(c => c == '}'));
    }

    [Fact]
    public void StatisticsAndLevels_AddUp()
    {
        var graph = SmallModels.Build("mlp");
        var one = GraphStatistics.Of(graph, 1);
        Assert.Equal((12 * 20) + 20 + (20 * 7) + 7 + (7 * 5) + 5, one.Parameters);
        Assert.Equal(graph.Nodes.Length, one.PerOperator.Sum(p => p.Count));
        Assert.Contains(("linear", 3), one.PerOperator);
        Assert.True(GraphStatistics.Of(graph, 10).Cost.Flops > 9 * one.Cost.Flops);
        var levels = GraphLevels.Of(graph);
        Assert.Equal(graph.Nodes.Length, levels.Sum(l => l.Count));
        Assert.All(levels[0], n => Assert.Empty(n.Inputs));
        Assert.True(GraphLevels.Parallelism(graph, 1) >= 1);
    }
}
