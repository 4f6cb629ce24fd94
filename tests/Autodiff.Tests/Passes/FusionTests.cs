using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>OPT-07, OPT-08, OPT-10: what fusion finds, plans, and makes kernels of.</summary>
public sealed class FusionTests
{
    private readonly GraphBuilder _b = new();
    private readonly Value _x;

    public FusionTests() => _x = _b.Input("x", DType.Float32, Dim.Batch, 6);

    private Value Row(string name) => _b.Parameter(name, ParameterInit.Normal(1), 6);

    // OPT-07: the four kinds of chains.
    [Fact]
    public void EveryKindOfChain_IsFound()
    {
        _b.Output("unary-unary", _x.Exp().Tanh());
        _b.Output("binary-unary", (_x * Row("a")).Relu());
        _b.Output("unary-binary", _x.Sigmoid() + Row("b"));
        _b.Output("binary-binary", (_x * Row("c")) + Row("d"));
        var analysis = FusionAnalysis.Of(_b.Build(), 10);
        Assert.Equal((1, 1, 1, 1),
            (analysis.UnaryUnary, analysis.BinaryUnary, analysis.UnaryBinary, analysis.BinaryBinary));
        Assert.Equal(4, analysis.Groups.Count);
        // exp, tanh on 10 rows of 6: read, write, read, write; fused read, write.
        var chain = analysis.Groups[0];
        Assert.Equal(["exp", "tanh"], chain.Operators);
        Assert.Equal((4 * 240, 2 * 240, 2.0), (chain.BytesBefore, chain.BytesAfter, chain.SpeedUp));
        Assert.Equal(analysis.Groups.Sum(g => g.BytesBefore - g.BytesAfter), analysis.BytesSaved);
        Assert.Contains("1 unary-binary", analysis.Lines().First(), StringComparison.Ordinal);
    }

    [Fact]
    public void AGraphWithoutChains_HasNoPlan()
    {
        _b.Output("y", _x.Exp());
        var analysis = FusionAnalysis.Of(_b.Build(), 10);
        Assert.Empty(analysis.Groups);
        Assert.Equal(0, analysis.BytesSaved);
    }

    // OPT-08: the longest pattern wins, and no operator is in two.
    [Fact]
    public void AProductABiasAndAnActivation_AreOneNode()
    {
        var w = _b.Parameter("w", ParameterInit.Normal(1), 4, 6);
        var bias = _b.Parameter("bias", ParameterInit.Normal(1), 4);
        _b.Output("y", (_x.Linear(w) + bias).Relu());
        var node = Assert.Single(PassPipeline.Forward(_b.Build()).Nodes, n => n.Inputs.Length > 0);
        Assert.Equal((OpTable.Linear, 3, "relu"), (node.Op, node.Inputs.Length, node.Attributes.Text("activation")));
    }

    [Fact]
    public void AProductAndABias_AreOneNode()
    {
        var w = _b.Parameter("w", ParameterInit.Normal(1), 4, 6);
        _b.Output("y", _x.Linear(w) + _b.Parameter("bias", ParameterInit.Normal(1), 4));
        var node = Assert.Single(PassPipeline.Forward(_b.Build()).Nodes, n => n.Inputs.Length > 0);
        Assert.Equal((OpTable.Linear, 3, ""), (node.Op, node.Inputs.Length, node.Attributes.Text("activation")));
    }

    // OPT-08: however the product is written, and on whichever side the bias stands.
    [Theory]
    [InlineData("linear")]
    [InlineData("matmul")]
    [InlineData("matmul, transposed")]
    public void EveryProductWithItsBias_IsOneNode(string product)
    {
        var isColumns = product == "matmul";
        Value Product(string w) => product switch
        {
            "linear" => _x.Linear(_b.Parameter(w, ParameterInit.Normal(1), 4, 6)),
            "matmul" => _x.MatMul(_b.Parameter(w, ParameterInit.Normal(1), 6, 4)),
            _ => _x.MatMul(_b.Parameter(w, ParameterInit.Normal(1), 4, 6), tb: true),
        };
        Value Bias(string name) => _b.Parameter(name, ParameterInit.Normal(1), 4);
        _b.Output("after", Product("w1") + Bias("b1"));
        _b.Output("before", Bias("b2") + Product("w2"));
        _b.Output("activated", (Bias("b3") + Product("w3")).Tanh());
        _b.Output("bare", Product("w4").Relu());
        var nodes = PassPipeline.Forward(_b.Build()).Nodes.Where(n => n.Inputs.Length > 0).ToList();
        Assert.Equal([(3, ""), (3, ""), (3, "tanh"), (2, "relu")],
            nodes.Select(n => (n.Inputs.Length, n.Attributes.Text("activation"))));
        Assert.All(nodes, n => Assert.Equal((OpTable.Linear, isColumns), (n.Op, n.Attributes.Flag("columns"))));
    }

    // OPT-08: products of another form stay as they are.
    [Fact]
    public void ProductsThatNoLinearComputes_AreLeftAlone()
    {
        var x = _b.Input("many", DType.Float32, Dim.Batch, 5, 6);
        var bias = Row("bias");
        _b.Output("a matrix a sample", x.MatMul(_b.Input("each", DType.Float32, Dim.Batch, 6, 6)) + bias);
        _b.Output("across rows", x.MatMul(_b.Parameter("w", ParameterInit.Normal(1), 5, 6), ta: true) + bias);
        _b.Output("no matrix of weights", _b.Parameter("v", ParameterInit.Normal(1), 3, 6).MatMul(_x, tb: true).Tanh());
        Assert.DoesNotContain(PassPipeline.Forward(_b.Build()).Nodes, n => n.Op == OpTable.Linear);
    }

    // OPT-08: a reader between a product and its bias would have its gradient added in another place.
    [Fact]
    public void AProductWhoseRowsAreReadBeforeItsBias_StaysWhereItIs()
    {
        var y = _x.MatMul(_b.Parameter("w", ParameterInit.Normal(1), 6, 6));
        var between = _x.Exp();
        _b.Output("y", y + Row("bias") + between);
        Assert.Contains(PassPipeline.Forward(_b.Build()).Nodes, n => n.Op == OpTable.MatMul);
    }

    [Fact]
    public void AddRelu_AndMultiplyAdd_AreOneNodeEach()
    {
        _b.Output("add-relu", (_x + Row("a")).Relu());
        _b.Output("multiply-add", (_x * Row("b")) + Row("c"));
        var (graph, report) = FuseElementwise.Run(_b.Build(), 10);
        Assert.Equal((2, 4), (report.Groups, report.Operators));
        Assert.Equal(["add+relu", "multiply+add"],
            graph.Nodes.Where(n => n.Op is FusedOp).Select(n => ((FusedOp)n.Op).Program.Text));
    }

    // OPT-10: chains inside a group are one loop each, made from templates.
    [Fact]
    public void AChain_IsOneKernel()
    {
        _b.Output("y", (_x * Row("a")).Exp().Tanh().Negate());
        Assert.Equal((4, 1), StepsOf(_b.Build()));
    }

    [Fact]
    public void AFunctionBeforeAnOperandOfTwo_JoinsItsLoop()
    {
        _b.Output("left", _x.Exp() - Row("a"));
        _b.Output("right", Row("b") - _x.Tanh());
        foreach (var steps in AllSteps(_b.Build())) Assert.Equal((2, 1), steps);
    }

    [Fact]
    public void AValueThatIsReadTwice_StaysInItsRegister()
    {
        var h = _x.Exp();
        _b.Output("y", h.Tanh() * h);
        // exp is read by two; tanh joins the product on one side only.
        Assert.Equal((3, 2), StepsOf(_b.Build()));
    }

    [Fact]
    public void ALongChain_IsCutAfterFourFunctions()
    {
        var y = _x;
        for (var i = 0; i < 10; i++) y = y.Tanh();
        _b.Output("y", y);
        Assert.Equal((10, 3), StepsOf(_b.Build()));
    }

    private static (int Before, int After) StepsOf(Graph graph) => Assert.Single(AllSteps(graph));

    private static IReadOnlyList<(int Before, int After)> AllSteps(Graph graph) =>
        [.. FuseElementwise.Run(graph, 10).Graph.Nodes.Select(n => n.Op).OfType<FusedOp>()
            .Select(f => (f.Program.Steps.Length, FusedTemplates.Of(f.Program).Steps.Length))];
}
