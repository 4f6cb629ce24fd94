using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes.Rewriting;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// OPT-06: operators that only move elements change places with those that compute each element by itself, so that
/// fewer elements are computed: what is repeated is repeated after the function, what is cut away goes before it.
/// Needs: gradients are made; before, a gradient would be summed in another place than on the tape. Guarantees: the
/// same bits, no more operations.
/// </summary>
public static class ReorderOperators
{
    private static readonly Pattern Repeated = Pattern.Of(OpTable.BroadcastTo, Pattern.Any("x"));

    /// <summary>Where one holds, a repetition goes towards the results or a cut towards the operands.</summary>
    public static readonly RuleSet All = new("reorder operators",
    [
        .. Elementwise().SelectMany(
            f => Enumerable.Range(0, f.Operands).Select(i => AfterFunction(f.Op, f.Operands, i))),
        .. Elementwise().Where(f => f.Operands == 1).Select(f => new RewriteRule(
            $"slice of {f.Op.Name}",
            Pattern.Of(OpTable.Slice, Pattern.Of(f.Op, Pattern.Any("x")).As("f")),
            m => m.IsUsedOnce("f") && IsLess(m.Type, m["f"].Type)
                ? m["x"].Apply(OpTable.Slice, m.Attributes).Apply(f.Op, m.AttributesOf("f")) : null)),
    ]);

    // Of names nothing is known but that they are the same in both.
    private static bool IsLess(TensorType cut, TensorType whole) =>
        cut.HasNames || whole.HasNames ? !cut.Equals(whole) : cut.Coefficient < whole.Coefficient;

    /// <summary>All rules until none fits.</summary>
    public static Graph Run(Graph graph) => Rewriter.Run(graph, Strategy.FixedPoint(All)).Graph;

    // f(.., x repeated, ..) is f(.., x, ..), repeated if that is smaller; operands are repeated by f itself.
    private static RewriteRule AfterFunction(Op op, int operands, int repeated) => new(
        $"{op.Name} of operand {repeated} repeated",
        Pattern.Of(op, [.. Enumerable.Range(0, operands).Select(i => i == repeated ? Repeated : Pattern.Any($"y{i}"))]),
        m =>
        {
            Value[] all = [.. Enumerable.Range(0, operands).Select(i => i == repeated ? m["x"] : m[$"y{i}"])];
            var y = all[0].Builder.Apply(op, m.Attributes, all)[0];
            return y.Type.Equals(m.Type) ? y : y.BroadcastTo(m.Type.Dims.AsSpan());
        });

    private static IEnumerable<(Op Op, int Operands)> Elementwise() => OpTable.All.Where(op => op is IBlockwise)
        .Select(op => (op, op.Sharding[..op.Sharding.IndexOf("->", StringComparison.Ordinal)].Split(',').Length));
}
