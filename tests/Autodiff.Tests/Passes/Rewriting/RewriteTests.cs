using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Passes.Rewriting;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes.Rewriting;

/// <summary>OPT-12: patterns, rules as text and in code, ways through a graph, bounds and statistics.</summary>
public sealed class RewriteTests
{
    private static readonly RewriteOptions Watched = new() { VerifyEach = true };

    private static readonly RewriteRule Negations = RewriteRule.Parse("negate(negate(x)) => x");
    private static readonly RewriteRule Distributes =
        RewriteRule.Parse("multiply(a, add(b, c)) => add(multiply(a, b), multiply(a, c))");

    private static Graph Graph(Func<Value, Value> f)
    {
        var b = new GraphBuilder();
        b.Output("y", f(b.Input("x", DType.Float64, Dim.Batch, 3)));
        return b.Build();
    }

    // Operators in the order of the graph, without the input.
    private static string Ops(Graph graph) => string.Join(" ", graph.Nodes.Skip(1).Select(n => n.Op.Name));

    private static string Ops(Strategy strategy, Func<Value, Value> f) =>
        Ops(Rewriter.Run(Graph(f), strategy, Watched).Graph);

    [Fact]
    public void AVariableThatOccursTwice_IsOneValue()
    {
        var rule = RewriteRule.Parse("subtract(a, a) => 0");
        Assert.Equal("full", Ops(Strategy.BottomUp(rule), x => x - x));
        Assert.Equal("exp subtract", Ops(Strategy.BottomUp(rule), x => x - x.Exp()));
        // Equal nodes are not one value before common subexpressions are.
        Assert.Equal("exp exp subtract", Ops(Strategy.BottomUp(rule), x => x.Exp() - x.Exp()));
    }

    [Fact]
    public void ARuleHoldsOnlyWhereBothSidesHaveOneType()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float64, 3);
        b.Output("wide", x - b.Full(0, new TensorType(DType.Float64, 2, 3)));
        b.Output("same", x - b.Full(0, x.Type));
        var (graph, report) = Rewriter.Run(b.Build(), Strategy.FixedPoint(IdentityRules.All), Watched);
        Assert.Equal("full subtract", Ops(graph));
        Assert.Equal(new RuleReport("x - 0", 1) { Tried = 3 }, Assert.Single(report.Rules));
        Assert.Equal(1, report.Applications);
    }

    [Fact]
    public void TheSignOfZeroCounts()
    {
        Assert.Equal("full add", Ops(Strategy.FixedPoint(IdentityRules.All), x => x + 0));
        Assert.Equal("", Ops(Strategy.FixedPoint(IdentityRules.All), x => x + x.Builder.Full(-0.0, x.Type)));
    }

    [Fact]
    public void AlternativesAreTriedAgainWhenALaterPartFails()
    {
        // exp(x) + tanh(x) fits only with the operands turned: the guard comes after the first choice.
        var turned = new RewriteRule("tanh first",
            Pattern.Commuted(OpTable.Add, Pattern.Any("a"), Pattern.Any("b")).When(m => m.OpOf("a") == OpTable.Tanh),
            m => m["a"] - m["b"]);
        var graph = Rewriter.Run(Graph(x => x.Exp() + x.Tanh()), Strategy.BottomUp(turned), Watched).Graph;
        Assert.Equal("exp tanh subtract", Ops(graph));
        Assert.Equal(OpTable.Tanh, graph.Nodes[graph.Nodes[^1].Inputs[0].Node].Op);
    }

    [Fact]
    public void GuardsSeeConstantsAttributesAndReaders()
    {
        var squares = new RewriteRule("x² as x·x",
            Pattern.Of(OpTable.PowScalar, Pattern.Any("x")).When(m => m.Attributes.Number("exponent", 0) == 2),
            m => m["x"] * m["x"]);
        Assert.Equal("multiply pow-scalar add",
            Ops(Strategy.BottomUp(squares), x => x.Pow(2) + x.Pow(3)));
        var lonely = new RewriteRule("exp that one reads",
            Pattern.Of(OpTable.Tanh, Pattern.Of(OpTable.Exp, Pattern.Any("x")).As("e")).When(m => m.IsUsedOnce("e")),
            m => m["x"].Sigmoid());
        Assert.Equal("sigmoid", Ops(Strategy.BottomUp(lonely), x => x.Exp().Tanh()));
        Assert.Equal("exp tanh add", Ops(Strategy.BottomUp(lonely), x => x.Exp() is var e ? e + e.Tanh() : x));
    }

    [Fact]
    public void Combinators_DoWhatTheySay()
    {
        var exp = new RewriteRule("exp", Pattern.Of(OpTable.Exp, Pattern.Any("x")), m => m["x"].Tanh());
        var tanh = new RewriteRule("tanh", Pattern.Of(OpTable.Tanh, Pattern.Any("x")), m => m["x"].Sigmoid());
        Strategy e = exp, t = tanh;
        Func<Value, Value> f = x => x.Exp() + x.Exp().Tanh();

        // e, then t at the same place; t alone where e does not hold; nothing where e holds and t does not after it.
        Assert.Equal("exp sigmoid", Ops(Strategy.All(e.Then(t)), x => x.Exp().Exp()));
        Assert.Equal("exp sigmoid", Ops(Strategy.All(e.Then(t).Or(t)), x => x.Exp().Tanh()));
        Assert.Equal("exp exp", Ops(Strategy.All(e.Then(e)), x => x.Exp().Exp()));
        Assert.Equal("exp tanh", Ops(Strategy.All(e.Then(e.Try())), x => x.Exp().Exp()));
        Assert.Equal("tanh exp tanh add", Ops(Strategy.All(Strategy.One(e.Or(t))), f));
        // The second operand of the sum is a tanh: e fails there, so nothing happens at all.
        Assert.Equal("exp exp tanh add", Ops(Strategy.All(Strategy.All(e)), f));
        Assert.Equal("tanh exp tanh add", Ops(Strategy.All(Strategy.Some(e)), f));
        Assert.Equal("tanh exp sigmoid add", Ops(Strategy.All(Strategy.All(e.Or(t))), f));
        Assert.Equal("exp exp tanh add", Ops(Strategy.Fail.Then(e), f));
        Assert.Equal("exp exp tanh add", Ops(Strategy.Succeed.Repeat(), f));
        Assert.Equal("sigmoid sigmoid sigmoid add", Ops(Strategy.BottomUp(e.Or(t)).Repeat(), f));
        Assert.Equal("tanh exp tanh add", Ops(Strategy.OnceBottomUp(e), f));
        Assert.Equal("exp exp sigmoid add", Ops(Strategy.OnceTopDown(t), f));
        Assert.Equal("sigmoid sigmoid sigmoid add", Ops(Strategy.Outermost(e.Or(t)), f));
    }

    [Fact]
    public void ASequenceThatFailsLeavesNothing()
    {
        var exp = new RewriteRule("exp", Pattern.Of(OpTable.Exp, Pattern.Any("x")), m => m["x"].Tanh());
        var before = Graph(x => x.Exp().Exp());
        var (graph, report) = Rewriter.Run(before, Strategy.BottomUp(exp).Then(Strategy.Fail), Watched);
        Assert.Same(before, graph);
        Assert.Equal(0, report.Applications);
        Assert.Empty(report.Rules);
    }

    [Fact]
    public void ARuleThatMakesPlacesForItself_GoesToTheEnd()
    {
        var (graph, report) = Rewriter.Run(
            Graph(x => x * (x.Exp() + (x.Tanh() + x.Sigmoid()))), Strategy.Innermost(Distributes), Watched);
        Assert.Equal(2, report.Applications);
        Assert.Equal(3, graph.Nodes.Count(n => n.Op == OpTable.Multiply));
        // Top-down sees what it has just made; bottom-up does not.
        Assert.Equal(3, Rewriter.Run(Graph(x => x * (x.Exp() + (x.Tanh() + x.Sigmoid()))),
            Strategy.TopDown(Distributes), Watched).Graph.Nodes.Count(n => n.Op == OpTable.Multiply));
        Assert.Equal(2, Rewriter.Run(Graph(x => x * (x.Exp() + (x.Tanh() + x.Sigmoid()))),
            Strategy.BottomUp(Distributes), Watched).Graph.Nodes.Count(n => n.Op == OpTable.Multiply));
    }

    [Fact]
    public void Priorities_DecideBeforePlaces()
    {
        var first = RewriteRule.Parse("exp(x) => tanh(x)") with { Priority = 1 };
        var second = RewriteRule.Parse("exp(x) => sigmoid(x)") with { Priority = 2 };
        var both = new RuleSet("both", first, second);
        Assert.Equal("sigmoid sigmoid", Ops(Strategy.Prioritized(both), x => x.Exp().Exp()));
        Assert.Equal("tanh tanh", Ops(Strategy.Exhaustive(both), x => x.Exp().Exp()));
    }

    [Fact]
    public void ValuesThatAreReadTwiceAreVisitedOnce_AndLongChainsNeedNoStack()
    {
        // 2^40 ways through the graph, 80 negations in a row at each.
        var (graph, report) = Rewriter.Run(
            Graph(x => Enumerable.Range(0, 40).Aggregate(x, (v, _) => -(-(v + v)))), Strategy.Innermost(Negations));
        Assert.Equal(40, report.Applications);
        Assert.Equal(41, graph.Nodes.Length);
        (graph, report) = Rewriter.Run(
            Graph(x => Enumerable.Range(0, 6_000).Aggregate(x, (v, _) => -v)), Strategy.BottomUp(Negations).Repeat());
        Assert.Single(graph.Nodes);
        Assert.Equal("negate(negate(x)) => x", report.Rules.Single().Rule);
    }

    [Fact]
    public void RulesWithoutAnEnd_AreRefusedByName()
    {
        var commutes = RewriteRule.Parse("commutes", "add(a, b) => add(b, a)");
        var refused = Assert.Throws<GraphException>(() => Rewriter.Run(
            Graph(x => x + x.Exp()), Strategy.BottomUp(commutes).Repeat(),
            new RewriteOptions { ApplicationsMax = 50 }));
        Assert.Equal(
            "rewriting found no end in 50 applications, 50 of them of the rule \"commutes\": its result may fit "
            + "a rule that leads back to it", refused.Message);
        var deep = Assert.Throws<GraphException>(() => Rewriter.Run(
            Graph(x => x.Exp()), Strategy.Recursive(self => Strategy.Succeed.Then(self))));
        Assert.Contains("called itself", deep.Message, StringComparison.Ordinal);
        var grows = new RewriteRule("grows", Pattern.Of(OpTable.Exp, Pattern.Any("x")).As("all"), m => m["all"].Exp());
        Assert.Contains("reads the value that it replaces", Assert.Throws<GraphException>(
            () => Rewriter.Run(Graph(x => x.Exp()), Strategy.BottomUp(grows))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AStrategyMadeOfItself_VisitsOperandsFirst()
    {
        var innermost = Strategy.Recursive(self => Strategy.All(self).Then(((Strategy)Negations).Then(self).Try()));
        Assert.Equal("exp", Ops(innermost, x => -(-(-(-x.Exp())))));
    }

    [Theory]
    [InlineData("negate(negate(x) => x", "character 18: ) belongs here")]
    [InlineData("nagete(x) => x", "character 1: there is no operator nagete")]
    [InlineData("exp(x) => y", "character 10: y is not on the left side")]
    [InlineData("exp(x) => x x", "character 13: the rule ends here, something follows")]
    [InlineData("x => x", "character 1: the left side is no operator")]
    [InlineData("add(x, 1.2.3) => x", "character 8: this is no number")]
    [InlineData("add(x, ) => x", "character 8: a variable, an operator or a number belongs here")]
    [InlineData("parameter(x) => x", "character 1: parameter is no function of operands")]
    public void ErrorsInText_PointAtTheCharacter(string text, string message) => Assert.Contains(
        message, Assert.Throws<GraphException>(() => RewriteRule.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Sets_AreCheckedAndChanged()
    {
        Assert.Contains("two named", Assert.Throws<GraphException>(
            () => IdentityRules.All.With(IdentityRules.All.Rules[0])).Message, StringComparison.Ordinal);
        Assert.Throws<GraphException>(() => IdentityRules.All.Without("no such rule"));
        var fewer = IdentityRules.All.Without("-(-x)").With(RewriteRule.Parse("log(exp(x)) => x"));
        Assert.Equal("negate negate", Ops(Strategy.FixedPoint(fewer), x => -(-x.Exp().Log())));
        Assert.Throws<UnsupportedException>(() => Pattern.Of(OpTable.Find("mse-loss")!, Pattern.Any("x")));
    }

    [Fact]
    public void WhatTakesAPlaceTakesItsName_AndTheOrderStays()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float64, 3);
        b.Output("a", x.Exp());
        b.Output("b", x.Tanh());
        var graph = b.Build();
        var after = Rewriter.Run(graph, Strategy.BottomUp(RewriteRule.Parse("exp(x) => square(sigmoid(x))"))).Graph;
        Assert.Equal(["x", "sigmoid_3", graph.Nodes[1].Name, graph.Nodes[2].Name], after.Nodes.Select(n => n.Name));
    }

    [Fact]
    public void ConstantsAreFoldedThroughTheKernel()
    {
        Value F(Value x) => x * ((x.Constant(2) + 3).Sqrt() - (x.Constant(1) / 3).Exp()).BroadcastTo(3);
        var graph = Graph(F);
        var folded = FoldConstants.Run(graph);
        Assert.Equal("full multiply", Ops(folded));
        var input = new Dictionary<string, Variable> { ["x"] = new(Tensor.Of([1.0, -2, 7], 1, 3)) };
        Assert.Equal(GraphRunner.Run(graph, input)["y"].Data.ToArray<double>(),
            GraphRunner.Run(folded, input)["y"].Data.ToArray<double>());
        // What is not finite stays where it arises.
        Assert.Contains("log", Ops(FoldConstants.Run(Graph(x => x + x.Constant(0).Log()))), StringComparison.Ordinal);
    }
}
