using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Autodiff.Tests.Laws;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>
/// OPT-02, OPT-03, OPT-04, OPT-08: each pass leaves a legal graph that computes the same bits, and does what it
/// promises.
/// </summary>
public sealed class PassTests
{
    private static readonly (string Name, Func<Graph, Graph> Run)[] All =
    [
        ("dead code", DeadCode.Run), ("common subexpressions", CommonSubexpressions.Run),
        ("constants", FoldConstants.Run),
        ("activations", FuseActivations.Run), ("bias", FuseBias.Run), ("forward", PassPipeline.Forward),
    ];

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var (name, _) in All)
            foreach (var model in SmallModels.Names) data.Add(name, model);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void APass_KeepsTheBits(string pass, string model)
    {
        var graph = SmallModels.Build(model);
        var changed = All.Single(p => p.Name == pass).Run(graph);
        GraphVerifier.Check(changed);
        Assert.Equal(graph.Parameters.Select(p => p.Name), changed.Parameters.Select(p => p.Name));
        Assert.Equal(graph.Inputs.Select(p => p.Name), changed.Inputs.Select(p => p.Name));
        var (before, after) = (Outputs(graph, model), Outputs(changed, model));
        foreach (var (name, value) in before) Assert.Equal(value, after[name]);
    }

    [Fact]
    public void DeadNodes_GoAndParametersStay()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 2);
        b.Parameter("unused", ParameterInit.Zeros, 2);
        x.Exp().Sum();
        b.Output("out", x.Square());
        var graph = DeadCode.Run(b.Build());
        Assert.Equal(["x", "unused", "square_4"], graph.Nodes.Select(n => n.Name));
    }

    [Fact]
    public void EqualNodes_BecomeOne()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 2);
        b.Output("out", x.Exp() + x.Exp() + x.Pow(2) + x.Pow(3));
        var graph = CommonSubexpressions.Run(b.Build());
        Assert.Single(graph.Nodes, n => n.Op == OpTable.Exp);
        Assert.Equal(2, graph.Nodes.Count(n => n.Op == OpTable.PowScalar));
    }

    [Fact]
    public void AProductAndABiasAndAnActivation_BecomeOneNode()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 3);
        var w = b.Parameter("w", ParameterInit.Normal(1), 2, 3);
        b.Output("out", (x.Linear(w) + b.Parameter("b", ParameterInit.Zeros, 2)).Relu());
        var graph = PassPipeline.Forward(b.Build());
        var node = Assert.Single(graph.Nodes, n => n.Inputs.Length > 0);
        Assert.Equal(OpTable.Linear, node.Op);
        Assert.Equal("relu", node.Attributes.Text("activation"));
        Assert.Equal(3, node.Inputs.Length);
    }

    [Fact]
    public void AnActivationWhoseInputIsUsedElsewhere_IsNotFused()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 3);
        var h = x.Linear(b.Parameter("w", ParameterInit.Normal(1), 2, 3));
        b.Output("out", h.Relu() + h);
        Assert.Contains(PassPipeline.Forward(b.Build()).Nodes, n => n.Op == OpTable.Relu);
    }

    [Fact]
    public void ConstantsFold()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 3);
        b.Output("out", x * x.Builder.Full(1, x.Type));
        b.Output("repeated", b.Full(4, new TensorType(DType.Float32, 1)).BroadcastTo(2, 3).Reshape(6));
        var graph = PassPipeline.Simplify(b.Build());
        Assert.Equal(2, graph.Nodes.Length);
        Assert.Equal("[6]", graph.Nodes[1].Type.Text);
    }

    // OPS-06, OPT-05: the gradients of sums and means are repeated by whoever reads them.
    [Theory]
    [InlineData("sum", 1)]
    [InlineData("mean", 2)]
    [InlineData("variance", 1)]
    public void WhatAGradientRepeats_IsNotWrittenOut(string how, int axis)
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 20, 30);
        var h = (x * b.Parameter("w", ParameterInit.Normal(1), 30)).Tanh();
        var r = how switch
        {
            "sum" => h.Sum([axis], keep: true),
            "mean" => h.Mean([axis], keep: true),
            _ => h.Variance([axis], keep: true),
        };
        b.Output("loss_sum", r.Square().Sum());
        var plain = GradientGraph.Build(b.Build());
        var graph = IdentityRules.Run(plain);
        Assert.Contains(plain.Nodes, n => n.Op == OpTable.BroadcastTo && n.Type[2].Size == 30);
        Assert.DoesNotContain(DeadCode.Run(graph).Nodes, n => n.Op == OpTable.BroadcastTo && n.Type[2].Size == 30
            && n.Type[1].Size == 20);
        Assert.Equal(Recipe.Bits(plain, 4)[GradientGraph.Prefix + "w"], Recipe.Bits(graph, 4)[GradientGraph.Prefix + "w"]);
    }

    [Fact]
    public void GradientGraphs_NameTheGradients()
    {
        var graph = GradientGraph.Build(SmallModels.Build("mlp"));
        Assert.Equal(6, graph.Outputs.Count(o => o.Name.StartsWith("grad:", StringComparison.Ordinal)));
        foreach (var parameter in graph.Parameters)
            Assert.Equal(parameter.Type, graph.TypeOf(graph.Output("grad:" + parameter.Name)!.Value));
        Assert.Throws<GraphException>(() => GradientGraph.Build(SmallModels.Build("mlp"), "logits"));
        Assert.Throws<GraphException>(() => GradientGraph.Build(SmallModels.Build("mlp"), "nothing"));
    }

    private static Dictionary<string, float[]> Outputs(Graph graph, string model)
    {
        using var program = Autodiff.Execution.TrainProgram.Compile(SmallModels.Build(model), 3);
        var batch = program.CreateBatch(3);
        SmallModels.Fill(batch, 0, 3, SmallModels.Classes(model));
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(4, weights);
        var bindings = new Dictionary<string, Variable>();
        foreach (var slot in program.Layout.Slots)
            bindings[slot.Name] = new Variable(
                Tensor.Of<float>(weights.AsSpan((int)slot.Offset, (int)slot.Length), slot.Shape));
        foreach (var input in graph.Inputs)
        {
            var shape = input.Type.At(3);
            bindings[input.Name] = new Variable(
                input.Type.DType == DType.Float32 ? Tensor.Of<float>(batch.Floats(input.Name), shape)
                : Tensor.Of<int>(batch.Ints(input.Name), shape));
        }

        return GraphRunner.Run(graph, bindings).ToDictionary(o => o.Key, o => o.Value.Data.ToArray<float>());
    }
}
