using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes.Rewriting;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// Guarantees: nothing is computed that one of the rules knows to be there already. Only identities that keep every
/// bit: x + 0 is none of them, because it makes -0 to 0; x + -0 is one.
/// </summary>
public static class IdentityRules
{
    private static readonly Op[] SettledByOnce =
        [OpTable.Relu, OpTable.Floor, OpTable.Ceil, OpTable.Round, OpTable.Sign, OpTable.Clamp];

    private static readonly Pattern X = Pattern.Any("x");
    private static readonly Pattern Y = Pattern.Any("y");
    private static readonly Pattern Repeated = Pattern.Of(OpTable.BroadcastTo, X);

    // What repeats operands by itself, element by element.
    private static readonly Op[] Pairs =
        [.. OpTable.All.Where(op => op is not CompositeOp && op.Sharding == "a..., a... -> a...")];

    /// <summary>All of them; a set with more or less is made with <see cref="RuleSet.With"/> and Without.</summary>
    public static readonly RuleSet All = new("identities",
    [
        RewriteRule.Parse("x - 0", "subtract(x, 0) => x"),
        RewriteRule.Parse("x + -0", "add(x, -0) => x"),
        RewriteRule.Parse("-0 + x", "add(-0, x) => x"),
        RewriteRule.Parse("x / 1", "divide(x, 1) => x"),
        RewriteRule.Parse("x * 1", "multiply(x, 1) => x"),
        RewriteRule.Parse("1 * x", "multiply(1, x) => x"),
        RewriteRule.Parse("-(-x)", "negate(negate(x)) => x"),
        new("x turned and turned back",
            Pattern.Of(OpTable.Transpose, Pattern.Of(OpTable.Transpose, X).As("inner")).When(IsTurnedBack),
            m => m["x"]),
        new("x reshaped to its shape", Pattern.Of(OpTable.Reshape, X), m => m["x"]),
        new("x reshaped and reshaped back",
            Pattern.Of(OpTable.Reshape, Pattern.Of(OpTable.Reshape, X)), m => m["x"]),
        new("x repeated to its shape", Pattern.Of(OpTable.BroadcastTo, X), m => m["x"]),
        new("flipped twice", Twice(OpTable.Flip), m => m["x"]),
        RewriteRule.Parse("|(|x|)|", "abs(abs(x)) => abs(x)"),
        RewriteRule.Parse("max of x and x", "maximum(x, x) => x"),
        RewriteRule.Parse("min of x and x", "minimum(x, x) => x"),
        // A gradient of a sum is repeated where it is read, not written out; y brings the whole shape.
        new("f of x repeated, y", Pattern.OneOf([.. Pairs.Select(op => Pattern.Of(op, Repeated, Y))]),
            m => m["y"].Type.Equals(m.Type) ? m["x"].Apply(m.Op, m.Attributes, m["y"]) : null),
        new("f of y, x repeated", Pattern.OneOf([.. Pairs.Select(op => Pattern.Of(op, Y, Repeated))]),
            m => m["y"].Type.Equals(m.Type) ? m["y"].Apply(m.Op, m.Attributes, m["x"]) : null),
        new("f(f(x)) that is f(x)", Pattern.OneOf([.. SettledByOnce.Select(Twice)]), m => m["inner"]),
    ]);

    /// <summary>All rules until none fits.</summary>
    public static Graph Run(Graph graph) => Rewriter.Run(graph, Strategy.FixedPoint(All)).Graph;

    // The same operator with the same constants on its own result.
    private static Pattern Twice(Op op) => Pattern.Of(op, Pattern.Of(op, X).As("inner"))
        .When(m => m.Attributes.Equals(m.AttributesOf("inner")));

    private static bool IsTurnedBack(RewriteMatch m)
    {
        var (outer, inner) = (m.Attributes.Ints("perm"), m.AttributesOf("inner").Ints("perm"));
        for (var i = 0; i < outer.Length; i++)
            if (inner[outer[i]] != i) return false;
        return true;
    }
}
