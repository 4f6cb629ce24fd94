using System.Collections.Immutable;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>Operators as methods of values: element by element.</summary>
public static partial class Functions
{
    public static Value Add(this Value x, Value y) => x.Apply(OpTable.Add, y);
    public static Value Subtract(this Value x, Value y) => x.Apply(OpTable.Subtract, y);
    public static Value Multiply(this Value x, Value y) => x.Apply(OpTable.Multiply, y);
    public static Value Divide(this Value x, Value y) => x.Apply(OpTable.Divide, y);
    public static Value Negate(this Value x) => x.Apply(OpTable.Negate);
    /// <param name="kink">The share of the gradient that x gets where both are equal, 0 to 1; y gets the rest.</param>
    public static Value Maximum(this Value x, Value y, double? kink = null) =>
        x.Apply(OpTable.Maximum, Kink.Chosen(OpTable.Maximum, kink), y);

    /// <param name="kink">The share of the gradient that x gets where both are equal, 0 to 1; y gets the rest.</param>
    public static Value Minimum(this Value x, Value y, double? kink = null) =>
        x.Apply(OpTable.Minimum, Kink.Chosen(OpTable.Minimum, kink), y);

    public static Value Pow(this Value x, Value y) => x.Apply(OpTable.Pow, y);
    public static Value Pow(this Value x, double exponent) =>
        x.Apply(OpTable.PowScalar, Attributes.Of("exponent", exponent));

    /// <summary>1 where x = y, else 0. Comparisons have no gradient.</summary>
    public static Value Equal(this Value x, Value y) => x.Apply(OpTable.Equal, y);
    public static Value Less(this Value x, Value y) => x.Apply(OpTable.Less, y);
    public static Value Greater(this Value x, Value y) => x.Apply(OpTable.Greater, y);
    public static Value LessEqual(this Value x, Value y) => x.Apply(OpTable.LessEqual, y);
    public static Value GreaterEqual(this Value x, Value y) => x.Apply(OpTable.GreaterEqual, y);

    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value Relu(this Value x, double? kink = null) =>
        x.Apply(OpTable.Relu, Kink.Chosen(OpTable.Relu, kink));

    public static Value Sigmoid(this Value x) => x.Apply(OpTable.Sigmoid);
    public static Value OneMinus(this Value x) => x.Apply(OpTable.OneMinus);
    public static Value Tanh(this Value x) => x.Apply(OpTable.Tanh);
    public static Value Exp(this Value x) => x.Apply(OpTable.Exp);
    public static Value Log(this Value x) => x.Apply(OpTable.Log);
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value Abs(this Value x, double? kink = null) =>
        x.Apply(OpTable.Abs, Kink.Chosen(OpTable.Abs, kink));

    public static Value Sqrt(this Value x) => x.Apply(OpTable.Sqrt);
    public static Value Square(this Value x) => x.Apply(OpTable.Square);
    public static Value Softplus(this Value x) => x.Apply(OpTable.Softplus);
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: the slope.</param>
    public static Value LeakyRelu(this Value x, double slope = 0.01, double? kink = null) =>
        x.Apply(OpTable.LeakyRelu, Kink.Chosen(OpTable.LeakyRelu, Attributes.Of("slope", slope), kink));

    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: alpha.</param>
    public static Value Elu(this Value x, double alpha = 1, double? kink = null) =>
        x.Apply(OpTable.Elu, Kink.Chosen(OpTable.Elu, Attributes.Of("alpha", alpha), kink));

    /// <summary>Also called swish.</summary>
    public static Value Silu(this Value x) => x.Apply(OpTable.Silu);
    public static Value Mish(this Value x) => x.Apply(OpTable.Mish);
    public static Value Gelu(this Value x) => x.Apply(OpTable.Gelu);
    public static Value GeluTanh(this Value x) => x.Apply(OpTable.GeluTanh);
    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0.</param>
    public static Value HardSigmoid(this Value x, double? kink = null) =>
        x.Apply(OpTable.HardSigmoid, Kink.Chosen(OpTable.HardSigmoid, kink));

    /// <param name="kink">The derivative where the function has two slopes: 0 the left one, 1 the right one, any number
    /// between; none: 0 at -3, 1 at 3.</param>
    public static Value HardSwish(this Value x, double? kink = null) =>
        x.Apply(OpTable.HardSwish, Kink.Chosen(OpTable.HardSwish, kink));


    internal static Value ReluGrad(this Value dy, Value y) => dy.Apply(OpTable.ReluGrad, y);
    internal static Value SigmoidGrad(this Value dy, Value y) => dy.Apply(OpTable.SigmoidGrad, y);
    internal static Value TanhGrad(this Value dy, Value y) => dy.Apply(OpTable.TanhGrad, y);
    internal static Value GeluGrad(this Value dy, Value x) => dy.Apply(OpTable.GeluGrad, x);
}
