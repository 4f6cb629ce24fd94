using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Graphs;

/// <summary>GIR-03, GIR-04, GIR-06: dependencies, findings, shapes of whole graphs, lowering.</summary>
public sealed class DependencyAnalysisTests
{
    // Two towers of three products each, joined at the end.
    private static Graph Towers()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, 16, 16);
        var (left, right) = (x, x);
        for (var i = 0; i < 3; i++) (left, right) = (left.MatMul(x), right.MatMul(x));
        b.Output("y", left + right);
        return b.Build();
    }

    [Fact]
    public void IndependentTowers_RunAtTheSameTime()
    {
        var analysis = DependencyAnalysis.Of(Towers(), 1);
        const long Product = 2 * 16 * 16 * 16, Sum = 16 * 16;
        Assert.Equal((6 * Product) + Sum, analysis.Work);
        Assert.Equal((3 * Product) + Sum, analysis.CriticalWork);
        Assert.Equal(5, analysis.Levels.Count);
        Assert.Equal([2, 2, 2], analysis.IndependentSets.Select(s => s.Count));
        Assert.Equal(1, analysis.SpeedUp(1), 12);
        Assert.Equal(analysis.SpeedUpMax, analysis.SpeedUp(2), 12);
        Assert.Equal(analysis.SpeedUpMax, analysis.SpeedUp(8), 12);
        Assert.Equal("x", analysis.CriticalPath[0].Name);
        Assert.Contains(analysis.Lines(), l => l.Contains("speed-up at most 1.99", StringComparison.Ordinal));
    }

    [Fact]
    public void NodesOfOneLevel_NeverDependOnEachOther()
    {
        foreach (var model in SmallModels.Names)
        {
            var graph = SmallModels.Build(model);
            var analysis = DependencyAnalysis.Of(graph, 4);
            var level = new int[graph.Nodes.Length];
            for (var l = 0; l < analysis.Levels.Count; l++)
                foreach (var node in analysis.Levels[l]) level[node.Id] = l;
            Assert.All(graph.Nodes, n => Assert.All(n.Inputs, i => Assert.True(level[i.Node] < level[n.Id])));
            Assert.InRange(analysis.SpeedUp(4), 1, analysis.SpeedUpMax + 1e-9);
            var chain = analysis.CriticalPath;
            for (var i = 1; i < chain.Count; i++) Assert.Contains(chain[i - 1].Id, chain[i].Inputs.Select(r => r.Node));
        }
    }

    [Fact]
    public void ACycle_IsNamedAlongItsNodes()
    {
        Assert.Equal(["b", "d", "c", "b"], DependencyAnalysis.FirstCycle(
            [("a", [1]), ("b", [3]), ("c", [1]), ("d", [2, 0])])?.ToArray() ?? []);
        Assert.Equal(["self", "self"], DependencyAnalysis.FirstCycle([("self", [0])])!);
        Assert.Null(DependencyAnalysis.FirstCycle([("a", [1, 2]), ("b", [2]), ("c", [])]));
        foreach (var model in SmallModels.Names)
        {
            Assert.Null(DependencyAnalysis.FirstCycle(
                [.. SmallModels.Build(model).Nodes.Select(n =>
                    (n.Name, (IReadOnlyList<int>)[.. n.Inputs.Select(i => i.Node)]))]));
        }
    }

    [Fact]
    public void Findings_NameUnusedLargeAndThinNodes()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 64);
        b.Output("y", x.Linear(b.Parameter("w", ParameterInit.Zeros, 32, 64)));
        b.Parameter("forgotten", ParameterInit.Zeros, 3);
        var graph = b.Build();
        var found = GraphFindings.Of(graph, 4, bytesMax: 9_000).Found.Select(f => f.Diagnostic).ToArray();
        Assert.Equal(["w", "linear_2", "forgotten"], found.Select(d => d.Where));
        Assert.Equal([ErrorCode.OutOfMemory, ErrorCode.Execution, ErrorCode.Graph], found.Select(d => d.Code));
        Assert.Single(GraphFindings.Of(graph, 8).Found);
    }

    [Fact]
    public void ShapesOfAWholeGraph_FollowTheBatch()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 4, 3);
        var y = x.Reshape([new Dim(4, true), 3]).Linear(b.Parameter("w", ParameterInit.Zeros, 5, 3));
        b.Output("y", y + b.Parameter("b", ParameterInit.Zeros, 1, 5));
        b.Output("total", y.Sum([0]));
        var graph = b.Build();
        var type = graph.TypeOf(graph.Output("y")!.Value);
        Assert.Equal(("float32[4N, 5]", 2, false), (type.ToString(), type.Rank, type.IsStatic));
        Assert.Null(type.AsStatic());
        Assert.Equal(new Shape(28, 5), type.At(7));
        var total = graph.TypeOf(graph.Output("total")!.Value);
        Assert.Equal(new Shape(5), total.AsStatic());
        Assert.All(graph.Nodes, n => Assert.Equal(n.Type.IsPerSample, n.Type.AsStatic() is null));
    }

    [Fact]
    public void Broadcasting_OfSymbolicShapes_IsCheckedWithoutNumbers()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 4);
        Assert.Equal("[N, 4]", (x + b.Input("row", DType.Float32, 4)).Type.Text);
        Assert.Equal("[3, N, 4]", (x + b.Input("planes", DType.Float32, 3, 1, 4)).Type.Text);
        // A batch that happens to have 5 samples is no reason to take a shape that fits 5 alone.
        Assert.Throws<ShapeException>(() => x + b.Input("five", DType.Float32, 5, 4));
        Assert.Throws<ShapeException>(() => x + b.Input("twice", DType.Float32, new Dim(2, true), 4));
    }

    [Fact]
    public void TheLowering_IsGenericMlir()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 3);
        var y = x.Linear(b.Parameter("w \"1\"", ParameterInit.Normal(0.1), 2, 3)).LeakyRelu(0.1);
        b.Output("y", y.Reshape([new Dim(2, true)]));
        b.Output("order", b.Input("z", DType.Float64, 4).Sort(0).Places);
        Assert.Equal(
            """
            module {
              "func.func"() ({
              ^bb0(%arg0: tensor<?x3xf32>, %arg5: tensor<4xf64>, %arg1: tensor<2x3xf32>):
                %2 = "convoy.linear"(%arg0, %arg1) : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32>
                %3 = "convoy.leaky_relu"(%2) {slope = 1.0E-1 : f64} : (tensor<?x2xf32>) -> tensor<?x2xf32>
                %4 = "convoy.reshape"(%3) {dims = array<i64: -2>} : (tensor<?x2xf32>) -> tensor<?xf32>
                %6:2 = "convoy.sort"(%arg5) {axis = 0 : i64, descending = 0 : i64} : (tensor<4xf64>) -> (tensor<4xf64>, tensor<4xi32>)
                "func.return"(%4, %6#1) : (tensor<?xf32>, tensor<4xi32>) -> ()
              }) {arg_names = ["x", "z", "w \221\22"], function_type = (tensor<?x3xf32>, tensor<4xf64>, tensor<2x3xf32>) -> (tensor<?xf32>, tensor<4xi32>), res_names = ["y", "order"], sym_name = "model"} : () -> ()
            }

            """.ReplaceLineEndings("\n"),
            MlirText.Of(b.Build()));
    }

    [Fact]
    public void LoweredModels_DefineEveryValueBeforeItsUse()
    {
        foreach (var model in SmallModels.Names)
        {
            var defined = new HashSet<string>(StringComparer.Ordinal);
            foreach (var line in MlirText.Of(SmallModels.Build(model)).Split('\n'))
            {
                var parts = line.Split(" = ", 2);
                var uses = System.Text.RegularExpressions.Regex.Matches(parts.Length > 1 ? parts[1] : line, @"%\w+");
                if (line.Contains("^bb0", StringComparison.Ordinal)) defined.UnionWith(uses.Select(u => u.Value));
                Assert.All(uses, u => Assert.Contains(u.Value, defined));
                if (parts.Length > 1 && line.TrimStart().StartsWith('%')) defined.Add(parts[0].Trim().Split(':')[0]);
            }

            Assert.NotEmpty(defined);
        }
    }
}
