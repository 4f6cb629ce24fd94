using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Passes.Rewriting;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tests.Laws;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>
/// GV-05, OPT-01..09: what each pass promises, by itself, on random graphs: a legal graph, the same outputs, nothing
/// left to do where it says so, and figures that can be counted again.
/// </summary>
public sealed class PassLawTests
{
    private const int Rows = 2;
    private const int Cases = 40;

    // Passes that keep every bit and find nothing in their own result.
    private static readonly (string Name, Func<Graph, Graph> Run)[] Exact =
    [
        ("constants", FoldConstants.Run), ("identities", IdentityRules.Run), ("dead code", DeadCode.Run),
        ("common subexpressions", CommonSubexpressions.Run), ("bias", FuseBias.Run),
        ("activations", FuseActivations.Run), ("evaluation", EvaluationForm.Run),
    ];

    public static TheoryData<string> Names() => [.. Exact.Select(p => p.Name)];

    public static TheoryData<DType> Floats() => [DType.Float32, DType.Float64];

    private static Graph Run(string pass, Graph graph)
    {
        var changed = Exact.Single(p => p.Name == pass).Run(graph);
        Assert.Null(GraphVerifier.FirstFault(changed));
        Assert.Equal(graph.Inputs.Select(n => n.Name), changed.Inputs.Select(n => n.Name));
        Assert.Equal(graph.Parameters.Select(n => n.Name), changed.Parameters.Select(n => n.Name));
        return changed;
    }

    private static bool SameBits(Graph before, Graph after) =>
        Recipe.Equal(Recipe.Bits(before, Rows), Recipe.Bits(after, Rows));

    [Theory]
    [MemberData(nameof(Names))]
    public void KeepsEveryBit(string pass)
    {
        var found = 0;
        bool Keeps(Graph graph)
        {
            var changed = Run(pass, graph);
            if (changed.Nodes.Length < graph.Nodes.Length) found++;
            return SameBits(graph, changed);
        }

        Generators.Holds(Recipe.All, r => Keeps(r.Static(DType.Float32, Rows)), Cases);
        Generators.Holds(Recipe.All, r => Keeps(r.Model(DType.Float64)), Cases);
        // Random models have nothing that evaluation leaves out.
        Assert.True(found > Cases / 4 || pass == "evaluation", $"{found} graphs had something for it");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void FindsNothingInItsOwnResult(string pass) => Generators.Holds(Recipe.All, r =>
    {
        var once = Run(pass, r.Model(DType.Float32));
        return GraphPrinter.Text(Run(pass, once)) == GraphPrinter.Text(once);
    }, Cases);

    [Fact]
    public void DeadCode_LeavesWhatIsNeeded() => Generators.Holds(Recipe.All, r =>
    {
        var graph = DeadCode.Run(r.Static(DType.Float32, Rows));
        var read = graph.Nodes.SelectMany(n => n.Inputs).Concat(graph.Outputs.Select(o => o.Value)).ToHashSet();
        return graph.Nodes.All(n => n.Inputs.Length == 0 || read.Any(v => v.Node == n.Id));
    }, Cases);

    [Fact]
    public void CommonSubexpressions_LeaveNoTwoEqualNodes() => Generators.Holds(Recipe.All, r =>
    {
        var graph = CommonSubexpressions.Run(r.Static(DType.Float32, Rows));
        var texts = graph.Nodes.Where(n => n.Op is not LeafOp)
            .Select(n => $"{n.Op} {n.Attributes} {string.Join(" ", n.Inputs)}").ToList();
        return texts.Distinct().Count() == texts.Count;
    }, Cases);

    [Fact]
    public void Rules_AreCounted() => Generators.Holds(Recipe.All, r =>
    {
        var graph = r.Static(DType.Float32, Rows);
        var checks = new RewriteOptions { VerifyEach = true };
        var (after, report) = Rewriter.Run(graph, Strategy.FixedPoint(IdentityRules.All), checks);
        var again = Rewriter.Run(after, Strategy.FixedPoint(IdentityRules.All), checks).Report;
        return report.Rules.Sum(c => c.Count) == report.Applications && report.NodesBefore == graph.Nodes.Length
            && report.NodesAfter == after.Nodes.Length && report.Rules.All(c => c.Tried >= c.Count)
            && again.Applications == 0;
    }, Cases);

    // Wherever rules start, they end at the same graph: each takes something away, and none hides another.
    [Fact]
    public void Strategies_AgreeAboutTheEnd() => Generators.Holds(Recipe.All, r =>
    {
        var graph = DeadCode.Run(r.Static(DType.Float32, Rows));
        Strategy[] ways =
        [
            Strategy.FixedPoint(IdentityRules.All), Strategy.Exhaustive(IdentityRules.All),
            Strategy.Prioritized(IdentityRules.All), Strategy.Outermost(Strategy.FirstOf(IdentityRules.All.Rules)),
            Strategy.TopDown(Strategy.FirstOf(IdentityRules.All.Rules)).Repeat(),
        ];
        var sizes = ways.Select(w => Rewriter.Run(graph, w).Graph).ToList();
        return sizes.All(g => g.Nodes.Length == sizes[0].Nodes.Length && SameBits(g, graph));
    }, Cases);

    [Fact]
    public void Reports_AddUp() => Generators.Holds(Recipe.All, r =>
    {
        var graph = r.Model(DType.Float32);
        var (after, reports) = PassPipeline.Run(graph, PassPipeline.ForTraining());
        var chained = reports.Zip(reports.Skip(1),
            (a, b) => a.NodesAfter == b.NodesBefore && a.FlopsAfter == b.FlopsBefore);
        return reports[0].NodesBefore == graph.Nodes.Length && reports[^1].NodesAfter == after.Nodes.Length
            && chained.All(same => same) && reports[^1].FlopsAfter == GraphStatistics.Of(after, 1).Cost.Flops;
    }, Cases);

    [Theory]
    [MemberData(nameof(Floats))]
    public void GradientGraph_HasTheForwardBits_AndTheTapesGradients(DType dtype) => Generators.Holds(Recipe.All, r =>
    {
        var graph = r.Model(dtype);
        var training = GradientGraph.Build(graph);
        Assert.Null(GraphVerifier.FirstFault(training));
        var (before, after) = (Recipe.Bits(graph, Rows), Recipe.Bits(training, Rows));
        var bound = Recipe.Bindings(graph, Rows, gradient: true);
        GraphRunner.Run(graph, bound)["loss_sum"].Backward();
        foreach (var parameter in graph.Parameters)
        {
            var name = GradientGraph.Prefix + parameter.Name;
            var tape = bound[parameter.Name].Gradient;
            if (tape is null != !after.ContainsKey(name)) return false;
            if (tape is not null && !Recipe.BitsOf(tape).AsSpan().SequenceEqual(after[name])) return false;
        }

        return before.All(o => after[o.Key].AsSpan().SequenceEqual(o.Value));
    }, Cases);

    // OPT-08: what a fused product hands to its operands has the bits, and is added in the order, of the parts.
    [Theory]
    [InlineData("bias", DType.Float32)]
    [InlineData("activations", DType.Float32)]
    [InlineData("bias", DType.Float64)]
    [InlineData("activations", DType.Float64)]
    public void FusedProducts_KeepTheBitsOfGradients(string pass, DType dtype) => Generators.Holds(Recipe.All, r =>
    {
        var graph = r.Model(dtype);
        return SameBits(GradientGraph.Build(graph), GradientGraph.Build(Run(pass, graph)));
    }, 4 * Cases);

    [Fact]
    public void Recompute_KeepsEveryBit_AtAnyLevels() => Generators.Holds(Recipe.All, r =>
    {
        var training = PassPipeline.Training(r.Model(DType.Float32));
        var part = new ForwardPart(training, "loss_sum", Rows);
        int[] levels = [.. Enumerable.Range(0, training.Nodes.Length)
            .Select(id => part.CanDrop(id) ? (id + r.Steps[0].A) % 3 : 0)];
        var again = Recompute.Run(part, part.WithViews(levels));
        Assert.Null(GraphVerifier.FirstFault(again));
        return again.Nodes.Length >= training.Nodes.Length && SameBits(training, again);
    }, Cases);

    [Fact]
    public void FuseElementwise_KeepsEveryBit_AndCountsWhatItDid() => Generators.Holds(Recipe.All, r =>
    {
        var graph = r.Static(DType.Float32, Rows);
        var (fused, report) = FuseElementwise.Run(graph, Rows);
        Assert.Null(GraphVerifier.FirstFault(fused));
        var groups = fused.Nodes.Where(n => n.Op is FusedOp).ToList();
        return report.Groups == groups.Count
            && report.Operators == groups.Sum(n => ((FusedOp)n.Op).Program.Steps.Length)
            && graph.Nodes.Length - fused.Nodes.Length == report.Operators - report.Groups
            && report.BytesSaved >= report.Operators - report.Groups && SameBits(graph, fused);
    }, 2 * Cases);

    [Fact]
    public void MergeEinsums_KeepsTheValue_AndTakesNoMoreWork() => Generators.Holds(Recipe.All, r =>
    {
        var graph = r.Static(DType.Float64, Rows);
        var (merged, report) = MergeEinsums.Run(graph, Rows);
        Assert.Null(GraphVerifier.FirstFault(merged));
        var saved = GraphStatistics.Of(graph, Rows).Cost.Flops - GraphStatistics.Of(merged, Rows).Cost.Flops;
        if (report.FlopsBefore - report.FlopsAfter != saved || saved < 0) return false;
        var bound = Recipe.Bindings(graph, Rows);
        var (a, b) = (GraphRunner.Run(graph, bound), GraphRunner.Run(merged, bound));
        return a.All(o => o.Value.Data.ToArray<double>().Zip(b[o.Key].Data.ToArray<double>())
            .All(p => Math.Abs(p.First - p.Second) <= 1e-9 * Math.Max(1, Math.Abs(p.First))));
    }, Cases);
}
