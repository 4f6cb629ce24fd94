using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tests.Errors;

/// <summary>ERR-01: an attribute that an operator does not have, or of another kind, is not passed over.</summary>
public sealed class AttributeErrorTests
{
    private static Attributes Slipped(OpSample sample) => sample.Attributes.With("axess", 1);

    private static string Rule(Op op) => $"{op.Name}: there is no attribute \"axess\": it has "
        + (op.Settings.Length == 0 ? "none" : op.Settings.Replace(" ", ", ", StringComparison.Ordinal));

    [Fact]
    public void EveryOperator_RefusesAnAttributeThatItDoesNotHave_ByName()
    {
        foreach (var sample in OpSamples.All)
        {
            Value[] inputs = [.. sample.Inputs.Select(t => new Variable(t))];
            var refused = Assert.Throws<ShapeException>(
                () => EagerBuilder.Instance.Apply(sample.Op, Slipped(sample), inputs));
            Assert.StartsWith(Rule(sample.Op), refused.Message, StringComparison.Ordinal);
        }

        // What has no samples: leaves of graphs.
        foreach (var op in (Op[])[OpTable.Input, OpTable.Parameter])
            Assert.Throws<ShapeException>(() => op.RequireKnown(Attributes.Of("axess", 1)));
    }

    [Fact]
    public void AGraphWithAnUnknownAttribute_IsRefused_WithItsNode()
    {
        var b = new GraphBuilder();
        b.Output("y", b.Input("x", Convoy.Shared.Tensors.DType.Float64, 2, 3).Sum([1]));
        var graph = b.Build();
        GraphNode[] nodes = [.. graph.Nodes];
        nodes[1] = nodes[1] with { Attributes = nodes[1].Attributes.With("axess", 1) };
        Assert.Equal($"GV-3 {nodes[1].Name}: {Rule(OpTable.Sum)}",
            GraphVerifier.FirstFault(new Graph([.. nodes], graph.Outputs)));
    }

    [Fact]
    public void AnUnknownAttribute_InPlace_WritesNothing()
    {
        var (x, executor) = (Tensor.Of([1.0, -2], 2), new InPlaceExecutor());
        var refused = Assert.Throws<ShapeException>(
            () => executor.Run(OpTable.LeakyRelu, Attributes.Of("negative_slope", 0.5), x));
        Assert.Equal(
            "leaky-relu: there is no attribute \"negative_slope\": it has slope, kink", refused.Message);
        executor.Run(OpTable.LeakyRelu, Attributes.Of("slope", 0.5), x);
        Assert.Equal([1, -1], x.ToArray<double>());
    }

    public static TheoryData<string> Operators() => [.. OpSamples.All.Select(s => s.Op.Name).Distinct()];

    // Each value is of a kind that the attribute is not: it would be read as if nothing were given.
    [Theory]
    [MemberData(nameof(Operators))]
    public void AValueOfAnotherKind_IsRefused_WithOperatorNameAndRule(string name)
    {
        var sample = OpSamples.Of(OpTable.Find(name)!).First();
        Value[] inputs = [.. sample.Inputs.Select(t => new Variable(t))];
        foreach (var attribute in sample.Op.Settings.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            object wrong = IsText(sample.Op, attribute) ? 1.5 : "much";
            var refused = Assert.Throws<ShapeException>(
                () => EagerBuilder.Instance.Apply(sample.Op, sample.Attributes.With(attribute, wrong), inputs));
            Assert.StartsWith($"{name}: the attribute \"{attribute}\" is ", refused.Message, StringComparison.Ordinal);
            Assert.Contains(wrong is string ? ", not the text \"much\"" : ", not 1.5", refused.Message,
                StringComparison.Ordinal);
            Assert.Equal(1, refused.Message.Split('\n').Length);
        }
    }

    private static bool IsText(Op op, string attribute) => AttributeKinds.Wanted(op, attribute, "much") is null;

    [Theory]
    [InlineData("cumsum", "axis", 1.5, "cumsum: the attribute \"axis\" is a whole number of 32 bits, not 1.5")]
    [InlineData("cumsum", "axis", 1L << 40, "cumsum: the attribute \"axis\" is a whole number of 32 bits, not 1099511627776")]
    [InlineData("cumsum", "reverse", 2L, "cumsum: the attribute \"reverse\" is 0 or 1, not 2")]
    [InlineData("sum", "axes", 1L, "sum: the attribute \"axes\" is a list of whole numbers, not 1")]
    [InlineData("elu", "alpha", "one", "elu: the attribute \"alpha\" is a number, not the text \"one\"")]
    [InlineData("max-pool2d", "kernel", new[] { 2, 1 },
        "max-pool2d: the attribute \"kernel\" is a whole number of 32 bits, not the list [2,1]")]
    [InlineData("max-pool", "kernel", 2.0, "max-pool: the attribute \"kernel\" is a whole number, or a list of them, not 2")]
    [InlineData("one-hot", "dtype", 99L, "one-hot: the attribute \"dtype\" is an element type, not 99")]
    [InlineData("huber-loss", "reduction", 1L, "huber-loss: the attribute \"reduction\" is a text, not 1")]
    public void TheError_IsOneLine(string name, string attribute, object value, string expected)
    {
        var op = OpTable.Find(name)!;
        var refused = Assert.Throws<ShapeException>(() => op.RequireKnown(Attributes.Of(attribute, value)));
        Assert.Equal(expected, refused.Message);
    }

    [Fact]
    public void EveryAttribute_HasAKind() => Assert.All(
        OpTable.All.SelectMany(op => op.Settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
        name => Assert.True(AttributeKinds.Has(name), name));
}
