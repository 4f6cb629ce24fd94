using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// Operators as methods of values: element by element, logic, reductions. Axes may be negative; no axes means all.
public static partial class Functions
{
    public static Value Sign(this Value x) => x.Apply(OpTable.Sign);
    public static Value Floor(this Value x) => x.Apply(OpTable.Floor);
    public static Value Ceil(this Value x) => x.Apply(OpTable.Ceil);
    /// <summary>The nearest integer, the even one of two.</summary>
    public static Value Round(this Value x) => x.Apply(OpTable.Round);
    public static Value Expm1(this Value x) => x.Apply(OpTable.Expm1);
    public static Value Log1p(this Value x) => x.Apply(OpTable.Log1p);
    public static Value Log2(this Value x) => x.Apply(OpTable.Log2);
    /// <summary>1 / √x.</summary>
    public static Value Rsqrt(this Value x) => x.Apply(OpTable.Rsqrt);
    public static Value Cbrt(this Value x) => x.Apply(OpTable.Cbrt);
    public static Value Reciprocal(this Value x) => x.Apply(OpTable.Reciprocal);
    public static Value Sin(this Value x) => x.Apply(OpTable.Sin);
    public static Value Cos(this Value x) => x.Apply(OpTable.Cos);
    public static Value Tan(this Value x) => x.Apply(OpTable.Tan);
    public static Value Asin(this Value x) => x.Apply(OpTable.Asin);
    public static Value Acos(this Value x) => x.Apply(OpTable.Acos);
    public static Value Atan(this Value x) => x.Apply(OpTable.Atan);
    public static Value Sinh(this Value x) => x.Apply(OpTable.Sinh);
    public static Value Cosh(this Value x) => x.Apply(OpTable.Cosh);
    public static Value Asinh(this Value x) => x.Apply(OpTable.Asinh);
    public static Value Acosh(this Value x) => x.Apply(OpTable.Acosh);
    public static Value Atanh(this Value x) => x.Apply(OpTable.Atanh);
    public static Value Erf(this Value x) => x.Apply(OpTable.Erf);
    /// <summary>ln |Γ(x)|.</summary>
    public static Value Lgamma(this Value x) => x.Apply(OpTable.Lgamma);
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value Relu6(this Value x, double? kink = null) =>
        x.Apply(OpTable.Relu6, Kink.Chosen(OpTable.Relu6, kink));

    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: the left one.</param>
    public static Value Selu(this Value x, double? kink = null) =>
        x.Apply(OpTable.Selu, Kink.Chosen(OpTable.Selu, kink));

    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value HardTanh(this Value x, double? kink = null) =>
        x.Apply(OpTable.HardTanh, Kink.Chosen(OpTable.HardTanh, kink));

    /// <summary>x / (1 + |x|).</summary>
    public static Value Softsign(this Value x) => x.Apply(OpTable.Softsign);
    public static Value LogSigmoid(this Value x) => x.Apply(OpTable.LogSigmoid);
    /// <summary>The same numbers, a constant for gradients.</summary>
    public static Value StopGradient(this Value x) => x.Apply(OpTable.StopGradient);
    /// <summary>Sum of the diagonal of the last two dimensions.</summary>
    public static Value Trace(this Value x) => x.Apply(OpTable.Trace);
    /// <summary>The diagonal of the last two dimensions, or the matrix with this diagonal.</summary>
    public static Value Diag(this Value x) => x.Apply(OpTable.Diag);

    /// <summary>The derivative of order n + 1 of ln Γ; n = 0 is the digamma function.</summary>
    public static Value Polygamma(this Value x, int n) => x.Apply(OpTable.Polygamma, Attributes.Of("n", n));
    public static Value Celu(this Value x, double alpha = 1) => x.Apply(OpTable.Celu, Attributes.Of("alpha", alpha));
    /// <summary>x between the bounds; the gradient passes between them, both included.</summary>
    /// <param name="kink">The derivative at a bound: 0 the left slope, 1 the right one, any number between; none:
    /// 1.</param>
    public static Value Clamp(
        this Value x, double min = double.NegativeInfinity, double max = double.PositiveInfinity,
        double? kink = null) =>
        x.Apply(OpTable.Clamp, Kink.Chosen(OpTable.Clamp, Attributes.Of("min", min, "max", max), kink));
    /// <summary>a where this is not 0, else b.</summary>
    public static Value Where(this Value condition, Value a, Value b) => condition.Apply(OpTable.Where, a, b);
    /// <summary>The value where the mask is not 0, else x.</summary>
    public static Value MaskedFill(this Value x, Value mask, double value) =>
        x.Apply(OpTable.MaskedFill, Attributes.Of("value", value), mask);

    // Truth values in [0, 1].
    public static Value AndProb(this Value x, Value y) => x.Apply(OpTable.AndProb, y);
    public static Value AndMin(this Value x, Value y) => x.Apply(OpTable.AndMin, y);
    public static Value OrMax(this Value x, Value y) => x.Apply(OpTable.OrMax, y);
    public static Value OrProbSum(this Value x, Value y) => x.Apply(OpTable.OrProbSum, y);
    public static Value Nand(this Value x, Value y) => x.Apply(OpTable.Nand, y);
    public static Value Nor(this Value x, Value y) => x.Apply(OpTable.Nor, y);
    public static Value Xor(this Value x, Value y) => x.Apply(OpTable.Xor, y);
    public static Value Implies(this Value x, Value y) => x.Apply(OpTable.Implies, y);
    public static Value Atan2(this Value x, Value y) => x.Apply(OpTable.Atan2, y);
    public static Value Hypot(this Value x, Value y) => x.Apply(OpTable.Hypot, y);
    public static Value LogAddExp(this Value x, Value y) => x.Apply(OpTable.LogAddExp, y);
    public static Value NotEqual(this Value x, Value y) => x.Apply(OpTable.NotEqual, y);
    public static Value Kron(this Value x, Value y) => x.Apply(OpTable.Kron, y);

    public static Value LogSumExp(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.LogSumExp, x, axes, keep);

    public static Value Any(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.Any, x, axes, keep);

    public static Value All(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.AllOf, x, axes, keep);

    public static Value Exists(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.Exists, x, axes, keep);

    public static Value ForAll(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.ForAll, x, axes, keep);

    public static Value ExistsProb(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.ExistsProb, x, axes, keep);

    public static Value ForAllProb(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.ForAllProb, x, axes, keep);

    /// <summary>Nears the largest as the temperature falls to 0.</summary>
    public static Value ExistsSmooth(this Value x, double temperature, ReadOnlySpan<int> axes = default,
        bool keep = false) =>
        Reduce(OpTable.ExistsSmooth, x, axes, keep, Attributes.Of("temperature", temperature));

    /// <summary>Nears the smallest as the temperature falls to 0.</summary>
    public static Value ForAllSmooth(this Value x, double temperature, ReadOnlySpan<int> axes = default,
        bool keep = false) =>
        Reduce(OpTable.ForAllSmooth, x, axes, keep, Attributes.Of("temperature", temperature));

    public static Value Variance(
        this Value x, ReadOnlySpan<int> axes = default, bool keep = false, bool unbiased = true) =>
        Reduce(OpTable.Variance, x, axes, keep, Attributes.Of("unbiased", unbiased));

    public static Value Std(this Value x, ReadOnlySpan<int> axes = default, bool keep = false, bool unbiased = true) =>
        Reduce(OpTable.Std, x, axes, keep, Attributes.Of("unbiased", unbiased));

    /// <summary>(Σ |x|^p)^(1/p); the gradient at 0 is 0.</summary>
    public static Value Norm(this Value x, ReadOnlySpan<int> axes = default, bool keep = false, double p = 2) =>
        Reduce(OpTable.Norm, x, axes, keep, Attributes.Of("p", p));

    internal static Value Norm(this Builder builder, Value x, ReadOnlySpan<int> axes) =>
        builder.Apply(OpTable.Norm, Attributes.Of("axes", Axes.Normalize(axes, x.Type.Rank, "norm")), [x])[0];

    public static Value CumSum(this Value x, int axis) => OnAxis(OpTable.CumSum, x, axis);

    /// <summary>Products from the start; zeros are legal.</summary>
    public static Value CumProd(this Value x, int axis) => OnAxis(OpTable.CumProd, x, axis);

    /// <summary>Places of the largest, int32; the first of equals.</summary>
    public static Value ArgMax(this Value x, int axis) => OnAxis(OpTable.ArgMax, x, axis);

    public static Value ArgMin(this Value x, int axis) => OnAxis(OpTable.ArgMin, x, axis);

    private static Value OnAxis(Op op, Value x, int axis) =>
        x.Apply(op, Attributes.Of("axis", Axes.One(axis, x.Type.Rank, op.Name)));
}
