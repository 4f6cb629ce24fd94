using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// OPS-17: the derivative where a function has two slopes. The attribute "kink" says how far from the left slope (0) to
/// the right slope (1) it lies: any number between is a subgradient of a convex function. Without the attribute each
/// operator has the default that its file states. The attribute does not change results, only derivatives.
/// </summary>
internal static class Kink
{
    public const string Attribute = "kink";

    /// <summary>The attribute for what a caller chose: nothing for the operator's default.</summary>
    public static Attributes Chosen(Op op, double? kink) => Chosen(op, Attributes.None, kink);

    public static Attributes Chosen(Op op, Attributes attributes, double? kink)
    {
        if (kink is not { } share) return attributes;
        return share is >= 0 and <= 1 ? attributes.With(Attribute, share)
            : throw new ShapeException($"{op.Name}: kink is 0 (left slope) to 1 (right slope), not {share}");
    }

    /// <summary>
    /// dx as the operator has it, and at each place dy times the slope that the attribute chooses.
    /// </summary>
    public static Value?[] At(
        OpGradient g, Value dx, params ReadOnlySpan<(double Place, double Left, double Right)> places)
    {
        if (!g.Attributes.Has(Attribute)) return [dx];
        var share = g.Attributes.Number(Attribute);
        foreach (var (place, left, right) in places)
        {
            var slope = left == right ? left : left + (share * (right - left));
            dx = g.X.Equal(g.X.Constant(place)).Where(g.Dy * slope, dx);
        }

        return [dx];
    }
}
