using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// Operators as methods of values: element by element, logic, reductions. Axes may be negative; no axes means all.
public static partial class Functions
{
    /// <summary>-1, 0 or 1; NaN of NaN. No gradient.</summary>
    public static Value Sign(this Value x) => x.Apply(OpTable.Sign);
    /// <summary>The integer at or below x. No gradient; <see cref="StraightThrough"/> gives it one.</summary>
    public static Value Floor(this Value x) => x.Apply(OpTable.Floor);
    /// <summary>The integer at or above x. No gradient.</summary>
    public static Value Ceil(this Value x) => x.Apply(OpTable.Ceil);
    /// <summary>The nearest integer, the even one of two.</summary>
    public static Value Round(this Value x) => x.Apply(OpTable.Round);
    /// <summary>e^x - 1, with all digits near 0.</summary>
    public static Value Expm1(this Value x) => x.Apply(OpTable.Expm1);
    /// <summary>ln(1 + x), with all digits near 0; -∞ at -1, NaN below.</summary>
    public static Value Log1p(this Value x) => x.Apply(OpTable.Log1p);
    /// <summary>The logarithm to base 2; -∞ at 0, NaN below.</summary>
    public static Value Log2(this Value x) => x.Apply(OpTable.Log2);
    /// <summary>1 / √x.</summary>
    public static Value Rsqrt(this Value x) => x.Apply(OpTable.Rsqrt);
    /// <summary>∛x, of negative x too; an infinite gradient at 0.</summary>
    public static Value Cbrt(this Value x) => x.Apply(OpTable.Cbrt);
    /// <summary>1 / x.</summary>
    public static Value Reciprocal(this Value x) => x.Apply(OpTable.Reciprocal);
    /// <summary>sin x, x in radians.</summary>
    public static Value Sin(this Value x) => x.Apply(OpTable.Sin);
    /// <summary>cos x, x in radians.</summary>
    public static Value Cos(this Value x) => x.Apply(OpTable.Cos);
    /// <summary>tan x, x in radians.</summary>
    public static Value Tan(this Value x) => x.Apply(OpTable.Tan);
    /// <summary>arcsin x in radians, in [-π/2, π/2]; NaN outside [-1, 1].</summary>
    public static Value Asin(this Value x) => x.Apply(OpTable.Asin);
    /// <summary>arccos x in radians, in [0, π]; NaN outside [-1, 1].</summary>
    public static Value Acos(this Value x) => x.Apply(OpTable.Acos);
    /// <summary>arctan x in radians, in (-π/2, π/2).</summary>
    public static Value Atan(this Value x) => x.Apply(OpTable.Atan);
    /// <summary>(e^x - e^-x) / 2, with all digits near 0.</summary>
    public static Value Sinh(this Value x) => x.Apply(OpTable.Sinh);
    /// <summary>(e^x + e^-x) / 2.</summary>
    public static Value Cosh(this Value x) => x.Apply(OpTable.Cosh);
    /// <summary>ln(x + √(x² + 1)), odd and with all digits near 0.</summary>
    public static Value Asinh(this Value x) => x.Apply(OpTable.Asinh);
    /// <summary>ln(x + √(x² - 1)); NaN below 1.</summary>
    public static Value Acosh(this Value x) => x.Apply(OpTable.Acosh);
    /// <summary>ln((1 + x) / (1 - x)) / 2; infinite at ±1, NaN outside.</summary>
    public static Value Atanh(this Value x) => x.Apply(OpTable.Atanh);
    /// <summary>2/√π ∫₀ˣ e^(-t²) dt, the error function, in (-1, 1).</summary>
    public static Value Erf(this Value x) => x.Apply(OpTable.Erf);
    /// <summary>ln |Γ(x)|.</summary>
    public static Value Lgamma(this Value x) => x.Apply(OpTable.Lgamma);
    /// <summary>min(max(x, 0), 6) (Krizhevsky 2010).</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value Relu6(this Value x, double? kink = null) =>
        x.Apply(OpTable.Relu6, Kink.Chosen(OpTable.Relu6, kink));

    /// <summary>1.0507 elu(x) with alpha 1.6733, which keeps mean 0 and variance 1 (Klambauer and others
    /// 2017).</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: the left one.</param>
    public static Value Selu(this Value x, double? kink = null) =>
        x.Apply(OpTable.Selu, Kink.Chosen(OpTable.Selu, kink));

    /// <summary>min(max(x, -1), 1).</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value HardTanh(this Value x, double? kink = null) =>
        x.Apply(OpTable.HardTanh, Kink.Chosen(OpTable.HardTanh, kink));

    /// <summary>x / (1 + |x|).</summary>
    public static Value Softsign(this Value x) => x.Apply(OpTable.Softsign);
    /// <summary>ln(1 / (1 + e^-x)) = -softplus(-x), finite where the sigmoid rounds to 0.</summary>
    public static Value LogSigmoid(this Value x) => x.Apply(OpTable.LogSigmoid);
    /// <summary>The same numbers, a constant for gradients.</summary>
    public static Value StopGradient(this Value x) => x.Apply(OpTable.StopGradient);
    /// <summary>Sum of the diagonal of the last two dimensions.</summary>
    public static Value Trace(this Value x) => x.Apply(OpTable.Trace);
    /// <summary>The diagonal of the last two dimensions, or the matrix with this diagonal.</summary>
    public static Value Diag(this Value x) => x.Apply(OpTable.Diag);

    /// <summary>The derivative of order n + 1 of ln Γ; n = 0 is the digamma function.</summary>
    public static Value Polygamma(this Value x, int n) => x.Apply(OpTable.Polygamma, Attributes.Of("n", n));
    /// <summary>x where x &gt; 0, else alpha (e^(x/alpha) - 1): an elu with slope 1 at 0 for any alpha &gt; 0 (Barron
    /// 2017).</summary>
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
    /// <summary>x y: "and" of independent events. Truth values in [0, 1], dimensions of size 1 repeated.</summary>
    public static Value AndProb(this Value x, Value y) => x.Apply(OpTable.AndProb, y);
    /// <summary>min(x, y): "and" of Gödel logic (Hájek 1998). Truth values in [0, 1], dimensions of size 1
    /// repeated.</summary>
    public static Value AndMin(this Value x, Value y) => x.Apply(OpTable.AndMin, y);
    /// <summary>max(x, y): "or" of Gödel logic (Hájek 1998). Truth values in [0, 1], dimensions of size 1
    /// repeated.</summary>
    public static Value OrMax(this Value x, Value y) => x.Apply(OpTable.OrMax, y);
    /// <summary>x + y - x y: "or" of independent events. Truth values in [0, 1], dimensions of size 1
    /// repeated.</summary>
    public static Value OrProbSum(this Value x, Value y) => x.Apply(OpTable.OrProbSum, y);
    /// <summary>1 - x y. Truth values in [0, 1], dimensions of size 1 repeated.</summary>
    public static Value Nand(this Value x, Value y) => x.Apply(OpTable.Nand, y);
    /// <summary>1 - max(x, y). Truth values in [0, 1], dimensions of size 1 repeated.</summary>
    public static Value Nor(this Value x, Value y) => x.Apply(OpTable.Nor, y);
    /// <summary>x + y - 2 x y. Truth values in [0, 1], dimensions of size 1 repeated.</summary>
    public static Value Xor(this Value x, Value y) => x.Apply(OpTable.Xor, y);
    /// <summary>1 - x + x y (Reichenbach). Truth values in [0, 1], dimensions of size 1
    /// repeated.</summary>
    public static Value Implies(this Value x, Value y) => x.Apply(OpTable.Implies, y);
    /// <summary>
    /// The angle in radians, in (-π, π], of the point whose ordinate is x and whose abscissa is y; operands in the
    /// order of <see cref="Math.Atan2"/>.
    /// </summary>
    public static Value Atan2(this Value x, Value y) => x.Apply(OpTable.Atan2, y);
    /// <summary>√(x² + y²) without overflow on the way; dimensions of size 1 repeated. The gradient at (0, 0) is
    /// 0.</summary>
    public static Value Hypot(this Value x, Value y) => x.Apply(OpTable.Hypot, y);
    /// <summary>ln(e^x + e^y) without overflow on the way; dimensions of size 1 repeated.</summary>
    public static Value LogAddExp(this Value x, Value y) => x.Apply(OpTable.LogAddExp, y);
    /// <summary>1 where x ≠ y or one is NaN, else 0. No gradient.</summary>
    public static Value NotEqual(this Value x, Value y) => x.Apply(OpTable.NotEqual, y);
    /// <summary>The Kronecker product of all dimensions, the last ones beside each other: [A, B] and [C, D] give
    /// [A·C, B·D]; missing leading dimensions are 1.</summary>
    public static Value Kron(this Value x, Value y) => x.Apply(OpTable.Kron, y);

    /// <summary>ln Σ e^x over the axes, the largest element taken out first so that nothing overflows.</summary>
    public static Value LogSumExp(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.LogSumExp, x, axes, keep);

    /// <summary>1 where some element over the axes is not 0, else 0. No gradient.</summary>
    public static Value Any(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.Any, x, axes, keep);

    /// <summary>1 where no element over the axes is 0, else 0; 1 of nothing. No gradient.</summary>
    public static Value All(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.AllOf, x, axes, keep);

    /// <summary>The largest truth value over the axes: "some", read hard.</summary>
    public static Value Exists(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.Exists, x, axes, keep);

    /// <summary>The smallest truth value over the axes: "every", read hard.</summary>
    public static Value ForAll(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.ForAll, x, axes, keep);

    /// <summary>1 - Π (1 - x) over the axes: "some" of independent events.</summary>
    public static Value ExistsProb(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.ExistsProb, x, axes, keep);

    /// <summary>Π x over the axes: "every" of independent events; the gradient is right where elements are
    /// 0.</summary>
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

    /// <summary>Σ (x - mean)² / (n - 1) over the axes, in the squared unit of x.</summary>
    /// <param name="unbiased">False: divided by n (the whole population), not n - 1.</param>
    public static Value Variance(
        this Value x, ReadOnlySpan<int> axes = default, bool keep = false, bool unbiased = true) =>
        Reduce(OpTable.Variance, x, axes, keep, Attributes.Of("unbiased", unbiased));

    /// <summary>√variance over the axes, in the unit of x; its gradient is infinite where all elements are
    /// equal.</summary>
    /// <param name="unbiased">False: divided by n (the whole population), not n - 1.</param>
    public static Value Std(this Value x, ReadOnlySpan<int> axes = default, bool keep = false, bool unbiased = true) =>
        Reduce(OpTable.Std, x, axes, keep, Attributes.Of("unbiased", unbiased));

    /// <summary>(Σ |x|^p)^(1/p); the gradient at 0 is 0.</summary>
    public static Value Norm(this Value x, ReadOnlySpan<int> axes = default, bool keep = false, double p = 2) =>
        Reduce(OpTable.Norm, x, axes, keep, Attributes.Of("p", p));

    internal static Value Norm(this Builder builder, Value x, ReadOnlySpan<int> axes) =>
        builder.Apply(OpTable.Norm, Attributes.Of("axes", Axes.Normalize(axes, x.Type, "norm")), [x])[0];

    /// <summary>Sums from the start to each element of one axis, itself included; the shape of x.</summary>
    public static Value CumSum(this Value x, int axis) => OnAxis(OpTable.CumSum, x, axis);

    /// <summary>Products from the start; zeros are legal.</summary>
    public static Value CumProd(this Value x, int axis) => OnAxis(OpTable.CumProd, x, axis);

    /// <summary>y_i = a_i y_{i-1} + b_i along one axis, with 0 before the first: running sums are those of a = 1,
    /// decaying ones of an a below 1. In float64.</summary>
    /// <param name="a">Of b's shape; its first element has nothing to multiply.</param>
    /// <param name="b">Any shape.</param>
    /// <param name="axis">Not the batch; negative from the end.</param>
    /// <param name="reverse">From the last element to the first.</param>
    /// <exception cref="ShapeException">The shapes differ, or there is no such axis.</exception>
    public static Value Recurrence(this Value a, Value b, int axis, bool reverse = false)
    {
        var along = Attributes.Of("axis", Axes.One(axis, a.Type, "recurrence"));
        return a.Apply(OpTable.Recurrence, reverse ? along.With("reverse", true) : along, b);
    }

    /// <summary>Places of the largest, int32; the first of equals.</summary>
    public static Value ArgMax(this Value x, int axis) => OnAxis(OpTable.ArgMax, x, axis);

    /// <summary>Places of the smallest, int32; the first of equals. The shape of x without the axis, no
    /// gradient.</summary>
    public static Value ArgMin(this Value x, int axis) => OnAxis(OpTable.ArgMin, x, axis);

    private static Value OnAxis(Op op, Value x, int axis) => x.Type.Rank == 0 && axis is 0 or -1
        ? OnAxis(op, x.Reshape(1), 0).Reshape()
        : x.Apply(op, Attributes.Of("axis", Axes.One(axis, x.Type, op.Name)));
}
