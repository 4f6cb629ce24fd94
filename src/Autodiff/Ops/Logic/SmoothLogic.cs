using Convoy.Shared.Numerics;
namespace Convoy.Autodiff.Ops;

/// <summary>
/// LOG-03: "and" and "or" with a temperature t above 0. Means under the logarithm, not sums: x or x is x, and truth
/// values stay in [0, 1].
/// </summary>
internal static class SmoothLogic
{
    public static double Temperature(Op op, Attributes attributes)
    {
        var t = attributes.Number("temperature", 1);
        if (!(t > 0 && double.IsFinite(t)))
            throw new ShapeException($"{op.Name}: a temperature is above 0 and finite, not {t}");
        return t;
    }

    public static Value Or(Value x, Value y, double t) => ((x / t).LogAddExp(y / t) - PortableMath.Log(2)) * t;

    public static Value And(Value x, Value y, double t) => ((x / -t).LogAddExp(y / -t) - PortableMath.Log(2)) * -t;

    /// <summary>
    /// ln(1 - e^x) for x below 0: by ln(-expm1 x) near 0 and log1p(-e^x) far from it, where the other loses all digits
    /// (Maechler 2012). Each side sees only its own x, so that no infinite slope of the other gets into the gradient.
    /// </summary>
    public static Value LogOneMinusExp(Value x)
    {
        var half = x.Constant(-PortableMath.Log(2));
        var near = x.Greater(half);
        return near.Where((-x.Maximum(half).Expm1()).Log(), (-x.Minimum(half).Exp()).Log1p());
    }
}
