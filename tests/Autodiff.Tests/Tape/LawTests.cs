using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;
using FsCheck;
using FsCheck.Fluent;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>TEST-03, ERR-07: laws that hold for all values, on random ones of the same seed in every run.</summary>
public sealed class LawTests
{
    private static readonly Config Repeatable = Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(1234567, 89);

    [Fact]
    public void Gradient_IsLinearInTheCotangent() => Holds(seed =>
    {
        var (x, u, v) = (Make(seed, 0, 4), Make(seed, 1, 4), Make(seed, 2, 4));
        Tensor Pull(Value cotangent) =>
            Derivatives.Vjp(z => (Variable)(z.Tanh() * z.Softmax()), x, ((Variable)cotangent).Data).Gradient;
        var (a, b) = (new Variable(u), new Variable(v));
        return Near(Pull((a * 2) + (b * 3)),
            ((Variable)((new Variable(Pull(a)) * 2) + (new Variable(Pull(b)) * 3))).Data);
    });

    [Fact]
    public void ChainRule_AndProductRule() => Holds(seed =>
    {
        var (x, t) = (Make(seed, 0, 3), Make(seed, 1, 3));
        Tensor D(Func<Value, Value> f) => Derivatives.Jvp(z => (Variable)f(z), x, t).Tangent;
        var v = new Variable(x);
        var chain = ((Variable)(v.Sin().Exp() * new Variable(D(z => z.Sin())))).Data;
        var product =
            ((Variable)((new Variable(D(z => z.Sin())) * v.Exp()) + (v.Sin() * new Variable(D(z => z.Exp()))))).Data;
        return Near(D(z => z.Sin().Exp()), chain) && Near(D(z => z.Sin() * z.Exp()), product);
    });

    [Fact]
    public void Einsum_Transposed_IsTheSameSum() => Holds(seed =>
    {
        Value a = new Variable(Make(seed, 0, 2, 3)), b = new Variable(Make(seed, 1, 3, 4));
        var there = (Variable)Functions.Einsum("ij,jk->ik", a, b);
        var back = (Variable)Functions.Einsum("jk,ij->ki", b, a).Transpose();
        return Near(there.Data, back.Data) && Near(there.Data, ((Variable)a.MatMul(b)).Data);
    });

    [Fact]
    public void Sums_AndProducts_DoNotMindTheOrder() => Holds(seed =>
    {
        Value a = new Variable(Make(seed, 0, 5)), b = new Variable(Make(seed, 1, 5)),
            c = new Variable(Make(seed, 2, 5));
        Tensor T(Value v) => ((Variable)v).Data;
        return Same(T(a + b), T(b + a)) && Same(T(a * b), T(b * a)) && Near(T(a + b + c), T(a + (b + c)))
            && Near(T(a * (b + c)), T((a * b) + (a * c))) && Same(T(a * 1), T(a)) && Same(T(a + 0), T(a));
    });

    [Fact]
    public void Products_DistributeAndAssociate_AndHaveIdentitiesAndInverses() => Holds(seed =>
    {
        Value a = new Variable(Make(seed, 0, 3, 3)), b = new Variable(Make(seed, 1, 3, 3)),
            c = new Variable(Make(seed, 2, 3, 3));
        Value one = new Variable(Tensor.Of([1.0, 0, 0, 0, 1, 0, 0, 0, 1], 3, 3));
        Tensor T(Value v) => ((Variable)v).Data;
        var regular = a + (one * 8);
        return Near(T(a.MatMul(b + c)), T(a.MatMul(b) + a.MatMul(c)))
            && Near(T(a.MatMul(b).MatMul(c)), T(a.MatMul(b.MatMul(c))))
            && Same(T(a.MatMul(one)), T(a)) && Near(T(a.MatMul(b).Transpose()), T(b.Transpose().MatMul(a.Transpose())))
            && Near(T(regular.MatMul(regular.Inverse())), T(one)) && Same(T(a - a), T(a * 0 + 0))
            && Near(T(a.Exp().Log()), T(a)) && Near(T(a.Square().Sqrt()), T(a.Abs())) && Near(T(a / a), T(a * 0 + 1));
    });

    [Fact]
    public void Sums_AreLinear_AndLargestElements_AreMonotone() => Holds(seed =>
    {
        Value a = new Variable(Make(seed, 0, 4, 3)), b = new Variable(Make(seed, 1, 4, 3));
        double N(Value v) => ((Variable)v).Data.At();
        var linear = Math.Abs(N(((a * 2) + (b * 3)).Sum()) - ((2 * N(a.Sum())) + (3 * N(b.Sum())))) < 1e-11;
        var larger = a + b.Abs();
        int[] all = [0, 1];
        return linear && N(larger.Max(all)) >= N(a.Max(all)) && N(larger.Min(all)) >= N(a.Min(all))
            && N(a.Max(all)) >= N(a.Mean(all)) && N(a.Mean(all)) >= N(a.Min(all)) && N(a.Max(all)) == -N((-a).Min(all))
            && Near(((Variable)a.Sum([0]).Sum([0])).Data, ((Variable)a.Sum()).Data);
    });

    [Fact]
    public void Activations_StayInTheirRange_AndAreSymmetric() => Holds(seed =>
    {
        Value x = new Variable(Make(seed, 0, 7)) * 20;
        double[] N(Value v) => ((Variable)v).Data.ToArray<double>();
        return N(x.Sigmoid()).All(v => v is >= 0 and <= 1) && N(x.Tanh()).All(v => v is >= -1 and <= 1)
            && N(x.Softplus()).All(v => v >= 0) && N(x.Relu()).All(v => v >= 0)
            && Near(((Variable)(-x).Sigmoid()).Data, ((Variable)x.Sigmoid().OneMinus()).Data)
            && Near(((Variable)(-x).Tanh()).Data, ((Variable)(-x.Tanh())).Data)
            && Near(((Variable)(-x).Cos()).Data, ((Variable)x.Cos()).Data)
            && Near(((Variable)(x.Relu() - (-x).Relu())).Data, ((Variable)x).Data);
    });

    [Fact]
    public void Softmax_AddsToOne_AndDoesNotSeeAShift() => Holds(seed =>
    {
        Value x = new Variable(Make(seed, 0, 3, 6)) * 200;
        var sums = ((Variable)x.Softmax().Sum([1])).Data.ToArray<double>();
        return sums.All(s => Math.Abs(s - 1) < 1e-12)
            && Near(((Variable)x.Softmax()).Data, ((Variable)(x + 1e3).Softmax()).Data, 1e-9)
            && Near(((Variable)x.LogSoftmax().Exp()).Data, ((Variable)x.Softmax()).Data);
    });

    [Fact]
    public void LargeAndTinyNumbers_StayFinite() => Holds(seed =>
    {
        foreach (var scale in new[] { 1e-300, 1e-30, 1e3, 1e30, 1e150 })
        {
            var x = new Variable(Make(seed, 0, 6), requiresGradient: true);
            Value scaled = x * scale;
            Value[] results =
            [
                scaled.Sigmoid(), scaled.Tanh(), scaled.Softplus(), scaled.LogSigmoid(), scaled.Softmax(),
                    scaled.LogSumExp(),
                scaled.Gelu(), scaled.GeluTanh(), scaled.Mish(), scaled.Silu(),
                scaled.Softsign(), scaled.Atan(), scaled.Hypot(scaled),
                    scaled.LogAddExp(scaled),
            ];
            foreach (var y in results)
            {
                if (((Variable)y).Data.ToArray<double>().Any(v => !double.IsFinite(v))) return false;
                if (Differentiate.Gradient([(Variable)y],
                    [x])[0].Data.ToArray<double>().Any(double.IsNaN)) return false;
            }

            // HO-06: second derivatives too, where squares and cubes of x are infinite.
            Func<Value, Value>[] smooth =
            [
                v => v.Sigmoid(), v => v.Tanh(), v => v.Softplus(), v => v.LogSigmoid(), v => v.Gelu(),
                v => v.GeluTanh(), v => v.Mish(), v => v.Silu(),
            ];
            foreach (var f in smooth)
            {
                if (Derivatives.Nth(v => (Variable)f(v), ((Variable)scaled).Data, 2).ToArray<double>().Any(
                    d => !double.IsFinite(d))) return false;
            }
        }

        return true;
    });

    private static void Holds(Func<int, bool> law) =>
        Check.One(Repeatable, Prop.ForAll(ArbMap.Default.ArbFor<int>(), law));

    private static bool Same(Tensor a, Tensor b) => a.ToArray<double>().SequenceEqual(b.ToArray<double>());

    private static bool Near(Tensor a, Tensor b, double tolerance = 1e-11) => a.Shape == b.Shape
        && a.ToArray<double>().Zip(b.ToArray<double>()).All(p =>
            Math.Abs(p.First - p.Second) <= tolerance * Math.Max(1, Math.Abs(p.First)));

    private static Tensor Make(int seed, ulong stream, params int[] dims)
    {
        var tensor = Tensor.Zeros(DType.Float64, dims);
        var random = new RandomStream((ulong)(uint)seed, RandomPurpose.Mask, stream);
        var values = tensor.Writable<double>();
        for (var i = 0; i < values.Length; i++) values[i] = random.Normal(i);
        return tensor;
    }
}
