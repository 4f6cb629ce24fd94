using System.Collections.Immutable;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Operators as methods of values: computed at once on variables, recorded as nodes in a graph.
/// Operands are float32 or float64 of one type, else <see cref="ShapeException"/> with code ElementType. Where two are
/// taken, dimensions line up from the last one and those of size 1 are repeated; what does not fit is a
/// <see cref="ShapeException"/> with code ShapeMismatch, which names operator, shapes, rule and a remedy. Axes may be
/// negative (-1 is the last); no axes means all, and keep leaves reduced dimensions as 1. A result has the element type
/// of its operands unless said otherwise. Each gradient stands in docs/operators.md.
/// </summary>
public static partial class Functions
{
    /// <summary>x + y, dimensions of size 1 repeated.</summary>
    public static Value Add(this Value x, Value y) => x.Apply(OpTable.Add, y);
    /// <summary>x - y, dimensions of size 1 repeated.</summary>
    public static Value Subtract(this Value x, Value y) => x.Apply(OpTable.Subtract, y);
    /// <summary>x y element by element, dimensions of size 1 repeated; <see cref="MatMul"/> is the matrix
    /// product.</summary>
    public static Value Multiply(this Value x, Value y) => x.Apply(OpTable.Multiply, y);
    /// <summary>x / y, dimensions of size 1 repeated. A division by 0 gives an infinity or NaN, as IEEE 754 says;
    /// <see cref="Tape.Guarded"/> has one that is refused or repaired.</summary>
    public static Value Divide(this Value x, Value y) => x.Apply(OpTable.Divide, y);
    /// <summary>-x.</summary>
    public static Value Negate(this Value x) => x.Apply(OpTable.Negate);
    /// <summary>The larger of x and y, dimensions of size 1 repeated; x where one of them is NaN.</summary>
    /// <param name="kink">The share of the gradient that x gets where both are equal, 0 to 1; y gets the rest.</param>
    public static Value Maximum(this Value x, Value y, double? kink = null) =>
        x.Apply(OpTable.Maximum, Kink.Chosen(OpTable.Maximum, kink), y);

    /// <summary>The smaller of x and y, dimensions of size 1 repeated; x where one of them is NaN.</summary>
    /// <param name="kink">The share of the gradient that x gets where both are equal, 0 to 1; y gets the rest.</param>
    public static Value Minimum(this Value x, Value y, double? kink = null) =>
        x.Apply(OpTable.Minimum, Kink.Chosen(OpTable.Minimum, kink), y);

    /// <summary>x to the power y, dimensions of size 1 repeated. NaN for negative x and a y that is no integer; the
    /// gradient of y takes ln x and is NaN for negative x.</summary>
    public static Value Pow(this Value x, Value y) => x.Apply(OpTable.Pow, y);
    /// <summary>x to a constant power; with gradient exponent x^(exponent - 1), so whole exponents are right for
    /// negative x too.</summary>
    public static Value Pow(this Value x, double exponent) =>
        x.Apply(OpTable.PowScalar, Attributes.Of("exponent", exponent));

    /// <summary>1 where x = y, else 0. Comparisons have no gradient.</summary>
    public static Value Equal(this Value x, Value y) => x.Apply(OpTable.Equal, y);
    /// <summary>1 where x &lt; y, else 0 (also where one is NaN), in the element type of x. No gradient.</summary>
    public static Value Less(this Value x, Value y) => x.Apply(OpTable.Less, y);
    /// <summary>1 where x &gt; y, else 0 (also where one is NaN), in the element type of x. No gradient.</summary>
    public static Value Greater(this Value x, Value y) => x.Apply(OpTable.Greater, y);
    /// <summary>1 where x ≤ y, else 0 (also where one is NaN), in the element type of x. No gradient.</summary>
    public static Value LessEqual(this Value x, Value y) => x.Apply(OpTable.LessEqual, y);
    /// <summary>1 where x ≥ y, else 0 (also where one is NaN), in the element type of x. No gradient.</summary>
    public static Value GreaterEqual(this Value x, Value y) => x.Apply(OpTable.GreaterEqual, y);

    /// <summary>max(x, 0): the rectified linear unit (Nair and Hinton 2010).</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value Relu(this Value x, double? kink = null) =>
        x.Apply(OpTable.Relu, Kink.Chosen(OpTable.Relu, kink));

    /// <summary>1 / (1 + e^-x), in (0, 1), without overflow for large |x|.</summary>
    public static Value Sigmoid(this Value x) => x.Apply(OpTable.Sigmoid);
    /// <summary>1 - x.</summary>
    public static Value OneMinus(this Value x) => x.Apply(OpTable.OneMinus);
    /// <summary>The hyperbolic tangent, in (-1, 1).</summary>
    public static Value Tanh(this Value x) => x.Apply(OpTable.Tanh);
    /// <summary>e^x; infinite above about 88.7 (float32) or 709.8 (float64).</summary>
    public static Value Exp(this Value x) => x.Apply(OpTable.Exp);
    /// <summary>ln x; -∞ at 0, NaN below. For x near 1, <see cref="Log1p"/> keeps more digits.</summary>
    public static Value Log(this Value x) => x.Apply(OpTable.Log);
    /// <summary>|x|.</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value Abs(this Value x, double? kink = null) =>
        x.Apply(OpTable.Abs, Kink.Chosen(OpTable.Abs, kink));

    /// <summary>√x; NaN below 0, an infinite gradient at 0.</summary>
    public static Value Sqrt(this Value x) => x.Apply(OpTable.Sqrt);
    /// <summary>x².</summary>
    public static Value Square(this Value x) => x.Apply(OpTable.Square);
    /// <summary>ln(1 + e^x), the smooth relu (Dugas and others 2001), without overflow for large x.</summary>
    public static Value Softplus(this Value x) => x.Apply(OpTable.Softplus);
    /// <summary>x where x &gt; 0, else slope x (Maas and others 2013).</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: the slope.</param>
    public static Value LeakyRelu(this Value x, double slope = 0.01, double? kink = null) =>
        x.Apply(OpTable.LeakyRelu, Kink.Chosen(OpTable.LeakyRelu, Attributes.Of("slope", slope), kink));

    /// <summary>x where x &gt; 0, else alpha (e^x - 1): the exponential linear unit (Clevert and others
    /// 2016).</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: alpha.</param>
    public static Value Elu(this Value x, double alpha = 1, double? kink = null) =>
        x.Apply(OpTable.Elu, Kink.Chosen(OpTable.Elu, Attributes.Of("alpha", alpha), kink));

    /// <summary>x / (1 + e^-x), also called swish (Elfwing and others 2018; Ramachandran and others 2017).</summary>
    public static Value Silu(this Value x) => x.Apply(OpTable.Silu);
    /// <summary>x tanh(softplus x) (Misra 2019).</summary>
    public static Value Mish(this Value x) => x.Apply(OpTable.Mish);
    /// <summary>x Φ(x) with the normal distribution Φ, exact by erf (Hendrycks and Gimpel 2016).</summary>
    public static Value Gelu(this Value x) => x.Apply(OpTable.Gelu);
    /// <summary>The same by tanh: x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 (Hendrycks and Gimpel 2016); within
    /// 0.0005 of <see cref="Gelu"/>.</summary>
    public static Value GeluTanh(this Value x) => x.Apply(OpTable.GeluTanh);
    /// <summary>min(max(x / 6 + 1/2, 0), 1), the sigmoid in straight lines (Howard and others 2019).</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value HardSigmoid(this Value x, double? kink = null) =>
        x.Apply(OpTable.HardSigmoid, Kink.Chosen(OpTable.HardSigmoid, kink));

    /// <summary>x hard-sigmoid(x) (Howard and others 2019).</summary>
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: -1/2 at -3, 1 at 3.</param>
    public static Value HardSwish(this Value x, double? kink = null) =>
        x.Apply(OpTable.HardSwish, Kink.Chosen(OpTable.HardSwish, kink));


    internal static Value ReluGrad(this Value dy, Value y) => dy.Apply(OpTable.ReluGrad, y);
    internal static Value SigmoidGrad(this Value dy, Value y) => dy.Apply(OpTable.SigmoidGrad, y);
    internal static Value TanhGrad(this Value dy, Value y) => dy.Apply(OpTable.TanhGrad, y);
    internal static Value GeluGrad(this Value dy, Value x) => dy.Apply(OpTable.GeluGrad, x);
}
