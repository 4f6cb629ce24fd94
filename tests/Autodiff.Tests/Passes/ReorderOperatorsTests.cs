using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Autodiff.Tests.Laws;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>OPT-06: operators change places where that saves work, and no bit changes.</summary>
public sealed class ReorderOperatorsTests
{
    private readonly GraphBuilder _b = new();

    private Value Input(params Dim[] dims) => _b.Input($"x{_b.Count}", DType.Float32, dims);

    // Name, elements of the largest value that is computed before and after for 4 rows.
    public static TheoryData<string, long, long> Cases() => new()
    {
        { "unary", 4 * 30 * 20, 4 * 20 },
        { "chain", 4 * 30 * 20, 4 * 20 },
        { "two repeated", 4 * 30 * 20, 4 * 20 },
        { "with a scalar", 4 * 30 * 20, 4 * 20 },
        { "where", 4 * 30 * 20, 4 * 20 },
        { "slice", 4 * 30 * 20, 4 * 5 * 20 },
        { "slice of slice", 4 * 30 * 20, 4 * 2 * 20 },
    };

    private Value Make(string what)
    {
        Value Repeated(Value v) => v.BroadcastTo(Dim.Batch, 30, 20);
        var (x, y) = (Input(Dim.Batch, 1, 20), Input(1, 20));
        var whole = Input(Dim.Batch, 30, 20);
        return what switch
        {
            "unary" => Repeated(x).Tanh(),
            "chain" => (Repeated(x).Exp() * 3.0).Clamp(-1, 2),
            "two repeated" => Repeated(x) - Repeated(y),
            "with a scalar" => Repeated(x) / 7,
            "where" => Repeated(x).Where(Repeated(y), Repeated(x).Sin()),
            "slice" => whole.Gelu().Sigmoid().Slice(1, 3, 5),
            _ => whole.Softplus().Slice(1, 3, 5).Slice(1, 1, 2),
        };
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void FewerElementsAreComputed_WithTheSameBits(string what, long before, long after)
    {
        _b.Output("y", Make(what));
        var graph = _b.Build();
        var changed = DeadCode.Run(ReorderOperators.Run(graph));
        GraphVerifier.Check(changed);
        static long Largest(Graph g) => g.Nodes.Where(n => n.Inputs.Length > 0 && !n.Op.OnlyMoves)
            .Max(n => n.Type.CountAt(4));
        Assert.Equal((before, after), (Largest(graph), Largest(changed)));
        Assert.Equal(Recipe.Bits(graph, 4)["y"], Recipe.Bits(changed, 4)["y"]);
        Assert.Equal(changed.Nodes.Length, ReorderOperators.Run(changed).Nodes.Length);
    }

    [Fact]
    public void WhatIsReadTwice_IsNotComputedTwice()
    {
        var h = Input(Dim.Batch, 30).Exp();
        _b.Output("y", h.Slice(1, 0, 5));
        _b.Output("z", h);
        Assert.Equal(3, ReorderOperators.Run(_b.Build()).Nodes.Length);
    }

    // The gradient of a sum is repeated; where it goes through a function, a choice or a scale, it is not written out.
    [Theory]
    [InlineData("scaled")]
    [InlineData("chosen")]
    [InlineData("square root")]
    public void WhatAGradientRepeats_IsNotWrittenOut(string how)
    {
        var x = Input(Dim.Batch, 20, 30);
        var h = (x * _b.Parameter("w", ParameterInit.Normal(1), 30)).Tanh();
        var r = how switch
        {
            "scaled" => (h * 3).Sum([1], keep: true),
            "chosen" => (x.Greater(x.Constant(0)).Where(h, h.Constant(0))).Sum([1], keep: true),
            _ => (h.Square() + 1).Sum([1], keep: true).Sqrt(),
        };
        _b.Output("loss_sum", r.Square().Sum());
        var plain = GradientGraph.Build(_b.Build());
        var (graph, reports) = PassPipeline.Settle(plain, PassPipeline.Simplifying);
        Assert.Contains(plain.Nodes, n => n.Op == OpTable.BroadcastTo && n.Type.Rank == 3 && n.Type[1].Size == 20);
        Assert.DoesNotContain(
            graph.Nodes, n => n.Op == OpTable.BroadcastTo && n.Type.Rank == 3 && n.Type[1].Size == 20);
        Assert.Contains(reports, p => p.Pass == "reorder operators");
        var name = GradientGraph.Prefix + "w";
        Assert.Equal(Recipe.Bits(plain, 4)[name], Recipe.Bits(graph, 4)[name]);
    }

    [Fact]
    public void GradientsAreMadeFirst() => Assert.DoesNotContain(
        PassPipeline.BeforeGradients(PassPipeline.Preparing), p => p.Name == "reorder operators");
}
