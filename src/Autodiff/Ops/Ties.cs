using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// OPS-07, OPS-17: who gets the gradient of a maximum or minimum where elements are equal. "share" (the default): all
/// of them evenly, the subgradient of least norm; "first" or "last" in row-major order of the reduced axes: one of
/// them.
/// </summary>
internal static class Ties
{
    public const string Attribute = "ties";

    public static Attributes Chosen(Attributes attributes, string ties) =>
        ties == "share" ? attributes : attributes.With(Attribute, ties);

    public static void Check(Op op, Attributes attributes)
    {
        var ties = attributes.Text(Attribute, "share");
        if (ties is not ("share" or "first" or "last"))
            throw new ShapeException($"{op.Name}: ties is share, first or last, not {ties}");
    }

    public static Value Gradient(OpGradient g)
    {
        var axes = g.Attributes.Ints("axes");
        // Where the extreme is a NaN, it is that of the elements that are.
        var chosen = g.X.Equal(Reduction.Spread(g.Y, g.X, g.Attributes)) + g.X.NotEqual(g.X);
        var dy = Reduction.Spread(g.Dy, g.X, g.Attributes);
        var ties = g.Attributes.Text(Attribute, "share");
        return Among(chosen, dy, [.. axes], ties);
    }

    /// <summary>The gradient to those that are chosen (1, others 0); where none is, nobody gets it.</summary>
    public static Value Among(Value chosen, Value dy, int[] axes, string ties)
    {
        if (ties != "share") return One(chosen, axes, ties == "last") * dy;
        var count = chosen.Sum(axes, keep: true);
        return chosen * dy / count.Maximum(count.Constant(1));
    }

    // The reduced axes side by side at the end: there a running count of 1 marks the first, or from the end the last.
    private static Value One(Value chosen, int[] axes, bool last)
    {
        if (axes.Length == 0) return chosen;
        int[] order = [.. Enumerable.Range(0, chosen.Type.Rank).Except(axes), .. axes];
        var inverse = new int[order.Length];
        for (var i = 0; i < order.Length; i++) inverse[order[i]] = i;
        var moved = chosen.Transpose(order);
        var rest = moved.Type.Dims[..^axes.Length];
        var size = moved.Type.Dims.Skip(rest.Length).Aggregate((Dim)1, (a, d) => a * d);
        var flat = moved.Reshape([.. rest, size]);
        var along = Attributes.Of("axis", rest.Length, "reverse", last);
        var counted = flat.Apply(OpTable.CumSum, along);
        return (flat * counted.Equal(counted.Constant(1))).ReshapeLike(moved.Type.Dims).Transpose(inverse);
    }
}
