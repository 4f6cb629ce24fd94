using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;
using FsCheck.Fluent;

namespace Convoy.Autodiff.Tests.Laws;

/// <summary>
/// GV-05, TEST-03: laws of gradients for each operator of elements, on random shapes and values of the same seed in
/// every run.
/// </summary>
public sealed class OperatorLawTests
{
    private static readonly (string Name, Func<Value, Value> F)[] Functions =
    [
        ("neg", x => -x), ("exp", x => x.Exp()), ("tanh", x => x.Tanh()), ("sigmoid", x => x.Sigmoid()),
        ("sin", x => x.Sin()), ("cos", x => x.Cos()), ("atan", x => x.Atan()), ("erf", x => x.Erf()),
        ("asinh", x => x.Asinh()), ("square", x => x.Square()), ("cube", x => x.Pow(3)),
        ("softplus", x => x.Softplus()), ("gelu", x => x.Gelu()), ("silu", x => x.Silu()), ("mish", x => x.Mish()),
        ("log-sigmoid", x => x.LogSigmoid()), ("softsign", x => x.Softsign()), ("one-minus", x => x.OneMinus()),
        ("relu", x => x.Relu()), ("elu", x => x.Elu()), ("leaky-relu", x => x.LeakyRelu()), ("selu", x => x.Selu()),
        ("hard-tanh", x => x.HardTanh()), ("abs", x => x.Abs()), ("sum", x => x.Sum()), ("mean", x => x.Mean()),
        ("log-sum-exp", x => x.LogSumExp()), ("norm", x => x.Norm()), ("max", x => x.Max()), ("min", x => x.Min()),
        ("product", x => x.Product()), ("flatten", x => x.Reshape((int)x.Type.Coefficient)),
        ("softmax", x => x.Reshape((int)x.Type.Coefficient).Softmax()),
        ("log-softmax", x => x.Reshape((int)x.Type.Coefficient).LogSoftmax()),
        ("twice", x => x + x), ("self-product", x => x * x.Sin()),
    ];

    private const int EachOperator = 20;

    // Not smooth at some whole numbers, which are drawn often; softsign in its second derivative.
    private static readonly string[] Kinked =
        ["relu", "elu", "leaky-relu", "selu", "hard-tanh", "abs", "norm", "max", "min", "softsign"];

    public static TheoryData<string> Names() => [.. Functions.Select(f => f.Name)];

    public static TheoryData<string> Smooth() => [.. Functions.Select(f => f.Name).Except(Kinked)];

    private static Func<Value, Value> Of(string name) => Functions.Single(f => f.Name == name).F;

    private static Tensor T(Value v) => ((Variable)v).Data;

    private static Tensor Pull(Func<Value, Value> f, Tensor x, Value u) =>
        Derivatives.Vjp(v => (Variable)f(v), x, T(u)).Gradient;

    private static double Dot(Tensor a, Tensor b) =>
        a.ToArray<double>().Zip(b.ToArray<double>(), (x, y) => x * y).Sum();

    private static bool Near(Tensor a, Tensor b, double scale = 1) => a.Shape == b.Shape
        && a.ToArray<double>().Zip(b.ToArray<double>()).All(p =>
            Math.Abs(p.First - p.Second) <= 1e-10 * Math.Max(scale, Math.Abs(p.First)));

    // A cotangent of the result's shape from numbers of x's shape.
    private static Variable Fitted(Tensor like, Tensor numbers)
    {
        var source = numbers.ToArray<double>();
        return new Variable(Tensor.Of<double>(
            [.. Enumerable.Range(0, (int)like.Count).Select(i => source[i % source.Length] + (0.1 * i))], like.Shape));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void LinearInTheCotangent(string name) => Generators.Holds(Generators.Alike(3), t =>
    {
        var (f, x) = (Of(name), t[0].Tensor);
        var y = T(f(new Variable(x)));
        var (u, v) = (Fitted(y, t[1].Tensor), Fitted(y, t[2].Tensor));
        Value left = new Variable(Pull(f, x, u)), right = new Variable(Pull(f, x, v));
        var size = T(left).ToArray<double>().Concat(T(right).ToArray<double>()).Select(Math.Abs).Append(1).Max();
        return Near(Pull(f, x, (u * 2) - (v * 3)), T((left * 2) - (right * 3)), size)
            && Pull(f, x, u * 0).ToArray<double>().All(g => g == 0);
    }, EachOperator);

    [Theory]
    [MemberData(nameof(Names))]
    public void ForwardAndReverse_AreTransposes(string name) => Generators.Holds(Generators.Alike(3), t =>
    {
        var (f, x, along) = (Of(name), t[0].Tensor, t[1].Tensor);
        var (y, tangent) = Derivatives.Jvp(v => (Variable)f(v), x, along);
        var u = Fitted(y, t[2].Tensor);
        var (left, right) = (Dot(u.Data, tangent), Dot(Pull(f, x, u), along));
        return Math.Abs(left - right) <= 1e-9 * Math.Max(1, Math.Abs(left));
    }, EachOperator);

    [Theory]
    [MemberData(nameof(Smooth))]
    public void ChainRule_WithEachOther(string name) => Generators.Holds(Generators.Alike(2), t =>
    {
        var (f, x, along) = (Of(name), t[0].Tensor, t[1].Tensor);
        foreach (var (_, g) in Functions[..8])
        {
            // J of g(f(x)) along t is J of g at f(x) along J of f along t.
            var (y, inner) = Derivatives.Jvp(v => (Variable)f(v), x, along);
            var outer = Derivatives.Jvp(v => (Variable)g(v), y, inner).Tangent;
            var whole = Derivatives.Jvp(v => (Variable)g(f(v)), x, along).Tangent;
            if (whole.ToArray<double>().Any(v => !double.IsFinite(v))) continue;
            if (!Near(whole, outer)) return false;
        }

        return true;
    }, EachOperator);

    [Theory]
    [MemberData(nameof(Smooth))]
    public void ProductRule(string name) => Generators.Holds(Generators.Alike(2), t =>
    {
        var (f, x, along) = (Of(name), t[0].Tensor, t[1].Tensor);
        static Value G(Value v) => v.Sin().Sum();
        var (y, dy) = Derivatives.Jvp(v => (Variable)f(v), x, along);
        var (z, dz) = Derivatives.Jvp(v => (Variable)G(v), x, along);
        var whole = Derivatives.Jvp(v => (Variable)(f(v) * G(v)), x, along).Tangent;
        return Near(whole, T((new Variable(dy) * new Variable(z)) + (new Variable(y) * new Variable(dz))), 10);
    }, EachOperator);

    [Theory]
    [MemberData(nameof(Smooth))]
    public void Gradients_AreDifferences(string name) => Generators.Holds(Generators.Tensors(), t =>
    {
        var options = new GradCheckOptions(0, 1e-6, 1e-6, Convoy.Autodiff.Checking.Numerical.NumericalMethod.FivePoint);
        return GradCheck.Run(x => (Variable)Of(name)(x[0]), [t.Tensor], options)
            .All(r => GradCheck.Passes(r, options));
    }, EachOperator);

    [Fact]
    public void BoundedFunctions_AndTheirGradients_StayFiniteFor1EMinus300To1E150() => Generators.Holds(
        Generators.Tensors(Generators.Extreme), t =>
        {
            foreach (var name in new[]
            {
                "tanh", "sigmoid", "atan", "erf", "softsign", "asinh", "softplus", "log-sigmoid",
                "gelu", "silu", "mish",
                "hard-tanh", "relu", "abs", "log-sum-exp", "norm",
            })
            {
                var (value, gradient) = Derivatives.Vjp(
                    v => (Variable)Of(name)(v), t.Tensor, Tensor.Full(
                        DType.Float64, 1, T(Of(name)(new Variable(t.Tensor))).Shape));
                if (!value.ToArray<double>().Concat(gradient.ToArray<double>()).All(double.IsFinite)) return false;
            }

            return true;
        });

    [Fact]
    public void Einsum_IsItsLoops_AndMovesWithItsLetters() => Generators.Holds(Generators.Contractions, c =>
    {
        Value a = new Variable(c.A.Tensor), b = new Variable(c.B.Tensor);
        var y = T(Ops.Functions.Einsum(c.Spec, a, b));
        if (!Near(Loops(c), y)) return false;
        // Operands in the other order, letters of the result turned round: the same numbers, moved.
        if (!Near(y, T(Ops.Functions.Einsum($"{c.Right},{c.Left}->{c.Result}", b, a)))) return false;
        var turned = T(Ops.Functions.Einsum($"{c.Left},{c.Right}->{string.Concat(c.Result.Reverse())}", a, b));
        return Near(y.Rank < 2 ? y : y.Transpose([.. Enumerable.Range(0, y.Rank).Reverse()]).Copy(), turned);
    });

    [Fact]
    public void Einsum_GradientsOfBothOperands_GiveTheValueBack() => Generators.Holds(Generators.Contractions, c =>
    {
        // Linear in each operand: u·f(a, b) = a·(∂f/∂a)ᵀu = b·(∂f/∂b)ᵀu.
        var (a, b) = (new Variable(c.A.Tensor, true), new Variable(c.B.Tensor, true));
        var y = (Variable)Ops.Functions.Einsum(c.Spec, a, b);
        var u = Fitted(y.Data, c.A.Tensor);
        y.Backward(u.Data);
        var whole = Dot(u.Data, y.Data);
        var scale = 1e-10 * Math.Max(1, Math.Abs(whole) + Dot(a.Data, a.Data) + Dot(b.Data, b.Data));
        return Math.Abs(whole - Dot(a.Data, a.Gradient!)) <= scale * 100
            && Math.Abs(whole - Dot(b.Data, b.Gradient!)) <= scale * 100;
    });

    [Fact]
    public void Shrinking_GoesToTheSmallestCase_AndEndsThere()
    {
        // A law that fails wherever a number is above 2 is reported with one element.
        var fault = Assert.ThrowsAny<Exception>(() =>
            Generators.Holds(Generators.Tensors(), t => t.Values.All(v => v < 2)));
        Assert.Matches(@"Shrunk:\s*\[[1, ]*\] [23]\b", fault.Message);
    }

    private static Tensor Loops(Contraction c)
    {
        var sizes = new SortedDictionary<char, int>();
        for (var i = 0; i < c.Left.Length; i++) sizes[c.Left[i]] = c.A.Dims[i];
        for (var i = 0; i < c.Right.Length; i++) sizes[c.Right[i]] = c.B.Dims[i];
        var y = Tensor.Zeros(DType.Float64, [.. c.Result.Select(l => sizes[l])]);
        var (letters, at) = (sizes.Keys.ToArray(), new int[sizes.Count]);
        int[] Place(string of) => [.. of.Select(l => at[Array.IndexOf(letters, l)])];
        for (var left = sizes.Values.Aggregate(1, (n, s) => n * s); left > 0; left--)
        {
            var place = Place(c.Result);
            y.Set(y.At(place) + (c.A.Tensor.At(Place(c.Left)) * c.B.Tensor.At(Place(c.Right))), place);
            for (var d = at.Length - 1; d >= 0 && ++at[d] == sizes[letters[d]]; d--) at[d] = 0;
        }

        return y;
    }
}
