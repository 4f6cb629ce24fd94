using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

/// <summary>
/// What the first result of an operator (and the second, the imaginary part, of a complex one) must be at one place, in
/// plain arithmetic on float64, without kernels and without other operators.
/// </summary>
internal static partial class References
{
    public delegate double Reference(OpSample sample, int[] place);

    private static readonly Dictionary<Op, Reference> Imaginary = [];
    private static readonly Dictionary<Op, Reference> Known = All();

    public static Reference? Of(Op op, int result = 0) => (result == 0 ? Known : Imaginary).GetValueOrDefault(op);

    private static Dictionary<Op, Reference> All()
    {
        var known = new Dictionary<Op, Reference>();
        AddFunctions(known);
        AddPairs(known);
        AddReductions(known);
        AddLogic(known);
        AddShapes(known);
        AddIndices(known);
        AddContractions(known);
        AddWindows(known);
        AddLayers(known);
        AddLosses(known);
        AddMatrices(known);
        AddComplex(known, Imaginary);
        return known;
    }

    private static void AddFunctions(Dictionary<Op, Reference> known)
    {
        void F(Op op, Func<double, double> f) => known[op] = (s, i) => f(s.Inputs[0].At(i));
        void C(Op op, Func<double, Attributes, double> f) => known[op] = (s, i) => f(s.Inputs[0].At(i), s.Attributes);
        double Sigmoid(double x) => 1 / (1 + Series.Exp(-x));
        double Tanh(double x) => 1 - (2 / (Series.Exp(2 * x) + 1));
        double Softplus(double x) => Series.Ln(1 + Series.Exp(x));
        double Phi(double x) => (1 + Series.Erf(x / Math.Sqrt(2))) / 2;

        F(OpTable.Negate, x => 0 - x);
        F(OpTable.Relu, x => x > 0 ? x : 0);
        F(OpTable.Sigmoid, Sigmoid);
        F(OpTable.OneMinus, x => 1 - x);
        F(OpTable.Tanh, Tanh);
        F(OpTable.Exp, Series.Exp);
        F(OpTable.Log, Series.Ln);
        F(OpTable.Abs, x => x < 0 ? -x : x);
        F(OpTable.Sqrt, x => Series.Exp(Series.Ln(x) / 2));
        F(OpTable.Square, x => x * x);
        F(OpTable.Softplus, Softplus);
        F(OpTable.Silu, x => x * Sigmoid(x));
        F(OpTable.Mish, x => x * Tanh(Softplus(x)));
        F(OpTable.Gelu, x => x * Phi(x));
        F(OpTable.GeluTanh, x => x / 2 * (1 + Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))));
        F(OpTable.HardSigmoid, x => Math.Clamp((x + 3) / 6, 0, 1));
        F(OpTable.HardSwish, x => x * Math.Clamp((x + 3) / 6, 0, 1));
        C(OpTable.LeakyRelu, (x, a) => x > 0 ? x : x * a.Number("slope", 0.01));
        C(OpTable.Elu, (x, a) => x > 0 ? x : a.Number("alpha", 1) * (Series.Exp(x) - 1));
        C(OpTable.Celu, (x, a) => x > 0 ? x : a.Number("alpha", 1) * (Series.Exp(x / a.Number("alpha", 1)) - 1));
        C(OpTable.PowScalar, (x, a) => Power(x, a.Number("exponent")));
        C(OpTable.Clamp, (x, a) => Math.Clamp(x, a.Number("min"), a.Number("max")));
        C(OpTable.Polygamma, (x, a) => Series.Polygamma(a.Int("n"), x));

        F(OpTable.Sign, x => x > 0 ? 1 : x < 0 ? -1 : 0);
        F(OpTable.Floor, x => (long)x - (x < (long)x ? 1 : 0));
        F(OpTable.Ceil, x => (long)x + (x > (long)x ? 1 : 0));
        F(OpTable.Round, x => (long)(x + (x < 0 ? -0.5 : 0.5)));
        F(OpTable.Expm1, x => Series.Exp(x) - 1);
        F(OpTable.Log1p, x => Series.Ln(1 + x));
        F(OpTable.Log2, x => Series.Ln(x) / Series.Ln(2));
        F(OpTable.Rsqrt, x => Series.Exp(-Series.Ln(x) / 2));
        F(OpTable.Cbrt, x => Math.CopySign(Series.Exp(Series.Ln(Math.Abs(x)) / 3), x));
        F(OpTable.Reciprocal, x => 1 / x);
        F(OpTable.Sin, Series.Sin);
        F(OpTable.Cos, Series.Cos);
        F(OpTable.Tan, x => Series.Sin(x) / Series.Cos(x));
        F(OpTable.Asin, x => Series.Atan(x / Math.Sqrt(1 - (x * x))));
        F(OpTable.Acos, x => (Math.PI / 2) - Series.Atan(x / Math.Sqrt(1 - (x * x))));
        F(OpTable.Atan, Series.Atan);
        F(OpTable.Sinh, x => (Series.Exp(x) - Series.Exp(-x)) / 2);
        F(OpTable.Cosh, x => (Series.Exp(x) + Series.Exp(-x)) / 2);
        F(OpTable.Asinh, x => Math.CopySign(Series.Ln(Math.Abs(x) + Math.Sqrt((x * x) + 1)), x));
        F(OpTable.Acosh, x => Series.Ln(x + Math.Sqrt((x * x) - 1)));
        F(OpTable.Atanh, x => Series.Ln((1 + x) / (1 - x)) / 2);
        F(OpTable.Erf, Series.Erf);
        F(OpTable.Lgamma, Series.LogGamma);
        F(OpTable.Relu6, x => Math.Clamp(x, 0, 6));
        F(OpTable.Selu,
            x => 1.0507009873554804934193349852946
                * (x > 0 ? x : 1.6732632423543772848170429916717 * (Series.Exp(x) - 1)));
        F(OpTable.HardTanh, x => Math.Clamp(x, -1, 1));
        F(OpTable.Softsign, x => x / (1 + Math.Abs(x)));
        F(OpTable.LogSigmoid, x => Series.Ln(Sigmoid(x)));
        F(OpTable.StopGradient, x => x);
    }

    private static void AddPairs(Dictionary<Op, Reference> known)
    {
        void F(Op op, Func<double, double, double> f) => known[op] = (s, i) =>
            f(Repeated(s.Inputs[0], i), Repeated(s.Inputs[1], i));
        F(OpTable.Add, (x, y) => x + y);
        F(OpTable.Subtract, (x, y) => x - y);
        F(OpTable.Multiply, (x, y) => x * y);
        F(OpTable.Divide, (x, y) => x / y);
        F(OpTable.Maximum, (x, y) => x > y ? x : y);
        F(OpTable.Minimum, (x, y) => x < y ? x : y);
        F(OpTable.Pow, Power);
        F(OpTable.Equal, (x, y) => x == y ? 1 : 0);
        F(OpTable.NotEqual, (x, y) => x != y ? 1 : 0);
        F(OpTable.Less, (x, y) => x < y ? 1 : 0);
        F(OpTable.Greater, (x, y) => x > y ? 1 : 0);
        F(OpTable.LessEqual, (x, y) => x <= y ? 1 : 0);
        F(OpTable.GreaterEqual, (x, y) => x >= y ? 1 : 0);
        F(OpTable.Atan2, (y, x) => Series.Atan(y / x) + (x > 0 ? 0 : y > 0 ? Math.PI : -Math.PI));
        F(OpTable.Hypot, (x, y) => Math.Sqrt((x * x) + (y * y)));
        F(OpTable.LogAddExp, (x, y) => Series.Ln(Series.Exp(x) + Series.Exp(y)));
        F(OpTable.AndProb, (x, y) => x * y);
        F(OpTable.AndMin, (x, y) => x < y ? x : y);
        F(OpTable.OrMax, (x, y) => x > y ? x : y);
        F(OpTable.OrProbSum, (x, y) => 1 - ((1 - x) * (1 - y)));
        F(OpTable.Nand, (x, y) => 1 - (x * y));
        F(OpTable.Nor, (x, y) => 1 - (x > y ? x : y));
        F(OpTable.Xor, (x, y) => (x * (1 - y)) + (y * (1 - x)));
        F(OpTable.Implies, (x, y) => 1 - (x * (1 - y)));
        F(OpTable.ReluGrad, (dy, y) => y <= 0 ? 0 : dy);
        F(OpTable.SigmoidGrad, (dy, y) => dy * y * (1 - y));
        F(OpTable.TanhGrad, (dy, y) => dy * (1 - (y * y)));
        F(OpTable.GeluGrad, (dy, x) => dy * (((1 + Series.Erf(x / Math.Sqrt(2))) / 2)
            + (x * Series.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI))));
        F(OpTable.StraightThrough, (hard, _) => hard);
        known[OpTable.Packaged] = (s, i) => s.Inputs[0].At(i);
        known[OpTable.Where] = (s, i) =>
            Repeated(s.Inputs[0], i) != 0 ? Repeated(s.Inputs[1], i) : Repeated(s.Inputs[2], i);
        known[OpTable.MaskedFill] = (s, i) =>
            Repeated(s.Inputs[1], i) != 0 ? s.Attributes.Number("value") : Repeated(s.Inputs[0], i);
    }

    private static double Power(double x, double y)
    {
        var size = Series.Exp(y * Series.Ln(Math.Abs(x)));
        return x < 0 && Math.Abs(y % 2) == 1 ? -size : size;
    }

    /// <summary>The element that stands at a place of the common shape.</summary>
    private static double Repeated(Tensor x, int[] place)
    {
        var at = new int[x.Rank];
        for (var i = 0; i < at.Length; i++) at[i] = x.Shape[i] == 1 ? 0 : place[place.Length - at.Length + i];
        return x.At(at);
    }
}
