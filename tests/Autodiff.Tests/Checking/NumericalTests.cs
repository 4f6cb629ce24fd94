using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Checking.Numerical;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Checking;

/// <summary>GV-01, GV-02, HO-03, HO-04: derivatives from values alone, and the gradients of the tape against
/// them.</summary>
public sealed class NumericalTests
{
    [Theory]
    [InlineData(NumericalMethod.Forward, 2e-7)]
    [InlineData(NumericalMethod.Backward, 2e-7)]
    [InlineData(NumericalMethod.Central, 2e-9)]
    [InlineData(NumericalMethod.FivePoint, 1e-11)]
    [InlineData(NumericalMethod.Richardson, 1e-11)]
    public void Schemes_AreAsGoodAsTheirOrderSays_WithAStepOfTheirOwn(NumericalMethod method, double tolerance)
    {
        (Func<double, double> F, Func<double, double> Slope)[] functions =
            [(Math.Sin, Math.Cos), (Math.Exp, Math.Exp), (Math.Atan, x => 1 / (1 + (x * x))),
                (x => x * x * x, x => 3 * x * x)];
        foreach (var (f, slope) in functions)
        {
            foreach (var x in new[] { -1.3, 0, 0.4, 2 })
            {
                var found = NumericalDerivative.At(f, x, method);
                Assert.Equal(slope(x), found.Value, tolerance * Math.Max(1, Math.Abs(slope(x))));
            }
        }
    }

    [Fact]
    public void AdaptiveStep_GrowsWithX_WhereAFixedOneRoundsAway()
    {
        const double X = 123456789.123;
        var adaptive = NumericalDerivative.At(x => x * x * x, X, NumericalMethod.Central).Value;
        var fixedStep = NumericalDerivative.At(x => x * x * x, X, NumericalMethod.Central, 1e-6).Value;
        Assert.Equal(1, adaptive / (3 * X * X), 1e-9);
        Assert.True(Math.Abs((fixedStep / (3 * X * X)) - 1) > 1e-5, $"{fixedStep}");
        Assert.Throws<ArgumentException>(() => NumericalDerivative.At(Math.Sin, 0, NumericalMethod.Central, -1));
    }

    [Fact]
    public void Richardson_KnowsItsError_AndShrinksFromAnEdge()
    {
        foreach (var x in new[] { 0.01, 0.3, 5 })
        {
            var found = NumericalDerivative.At(Math.Log, x, NumericalMethod.Richardson);
            Assert.Equal(1 / x, found.Value, 1e-9 / x);
            Assert.InRange(Math.Abs(found.Value - (1 / x)), 0, Math.Max(found.Error * 10, 1e-12 / x));
            Assert.InRange(found.Evaluations, 4, 60);
        }
    }

    public static TheoryData<NumericalMethod> Methods() => [.. Enum.GetValues<NumericalMethod>()];

    private static Variable Network(Variable[] x) =>
        (Variable)(x[0].MatMul(x[1]).Tanh() * x[2].Exp()).Softmax().LogSumExp([1]);

    private static Tensor[] Operands() =>
        [TestTensors.Normal(1, 3, 4), TestTensors.Normal(2, 4, 5), TestTensors.Normal(3, 5)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void GradCheck_InEveryScheme_PassesAndFindsAWrongGradient(NumericalMethod method)
    {
        var oneSided = method is NumericalMethod.Forward or NumericalMethod.Backward;
        var options = new GradCheckOptions(0, oneSided ? 1e-6 : 1e-8, oneSided ? 1e-6 : 1e-8, method);
        var results = GradCheck.Run(Network, Operands(), options);
        Assert.Equal([0, 1, 2], results.Select(r => r.Input));
        Assert.Equal([12, 20, 5], results.Select(r => r.Checked));
        Assert.All(results, r => Assert.True(GradCheck.Passes(r, options), r.ToString()));
        Assert.All(results, r => Assert.InRange(r.AbsoluteMean, 0, r.AbsoluteMax));

        var wrong = CustomOperator.Define("off", t => t[0], x => x[0], g => [g.Gradient * 1.001]);
        var found = GradCheck.Run(x => (Variable)wrong.Apply(x[0]).Square(), Operands()[..1], options)[0];
        Assert.False(GradCheck.Passes(found, options));
        Assert.True(found.AbsoluteDeviation > 0);
    }

    [Fact]
    public void GradCheck_AgreesToTenDigitsInFloat64()
    {
        // GV-01: about 1e-10, where the differences themselves are that good.
        var options = new GradCheckOptions(0, 1e-10, 1e-10, NumericalMethod.Richardson);
        Assert.All(GradCheck.Run(Network, Operands(), options), r => Assert.InRange(r.AbsoluteMax, 0, 1e-10));
    }

    [Fact]
    public void Comparison_RanksTheMethods_AndTellsAWrongGradientFromAWeakMethod()
    {
        // GV-02
        var right = MethodComparison.Run(Network, Operands(), 1e-8);
        Assert.True(right.Agrees);
        Assert.Equal(5, right.Methods.Count);
        Assert.All(right.Methods, m => Assert.Equal(37, m.Elements));
        MethodAgreement Of(NumericalMethod method) => right.Methods.Single(m => m.Method == method);
        Assert.True(Of(NumericalMethod.Central).Max < Of(NumericalMethod.Forward).Max);
        Assert.True(Of(NumericalMethod.Richardson).Max < Of(NumericalMethod.Central).Max);
        Assert.True(Of(NumericalMethod.Forward).Evaluations < Of(NumericalMethod.Richardson).Evaluations);
        Assert.All(right.Methods, m => Assert.True(m.Median <= m.Max && m.Mean <= m.Max && m.Deviation <= m.Max));
        Assert.Contains("Central: 37 elements, 74 values", Of(NumericalMethod.Central).ToString(),
            StringComparison.Ordinal);

        var off = CustomOperator.Define("off", t => t[0], x => x[0], g => [g.Gradient * 1.00001]);
        Assert.False(MethodComparison.Run(x => (Variable)off.Apply(x[0]), Operands()[..1], 1e-8).Agrees);
        Assert.Throws<ArgumentException>(() => MethodComparison.Run(x => x[0], [Tensor.Zeros(DType.Int32, 2)]));
    }

    [Fact]
    public void JacobianAndHessian_OfTheTape_AreThoseOfDifferences()
    {
        // HO-03
        static Variable F(Variable x) => (Variable)(x.Sin() * x.Slice(0, 1, 1)).Exp();
        var at = TestTensors.Normal(7, 4);
        var jacobian = NumericalMatrices.Jacobian(F, at);
        TestTensors.Near(Derivatives.Jacobian(F, at), jacobian.Value, 1e-9);
        Assert.InRange(jacobian.ErrorMax, 0, 1e-8);

        static Variable G(Variable x) => (Variable)(x.Softmax() * x.Square()).Sum();
        var hessian = NumericalMatrices.Hessian(G, at);
        TestTensors.Near(Derivatives.Hessian(G, at), hessian.Value, 1e-9);
        Assert.InRange(hessian.Asymmetry, 0, 1e-8);
        for (var i = 0; i < 4; i++)
            for (var j = 0; j < i; j++) Assert.Equal(hessian.Value.At(i, j), hessian.Value.At(j, i));
        Assert.Throws<ShapeException>(() => NumericalMatrices.Jacobian(F, at.Cast(DType.Float32)));
    }

    [Fact]
    public void Hessian_OfAThousandVariables_IsThatOfTheQuadratic()
    {
        // HO-03, HO-04: f = ½ xᵀAx + bᵀx with a tridiagonal A, whose Hessian is A wherever it is taken.
        const int N = 1000;
        static Variable F(Variable x)
        {
            var (head, tail) = (x.Slice(0, 0, N - 1), x.Slice(0, 1, N - 1));
            return (Variable)(x.Square().Sum() - (head * tail).Sum() + (x * 3).Sum());
        }

        var (hessian, asymmetry) = Symmetry.Enforce(Derivatives.Hessian(F, TestTensors.Normal(8, N)));
        Assert.Equal(0, asymmetry);
        var values = hessian.ToArray<double>();
        for (var i = 0; i < N; i++)
            for (var j = 0; j < N; j++)
                if (values[(i * N) + j] != (i == j ? 2 : Math.Abs(i - j) == 1 ? -1 : 0)) Assert.Fail($"[{i}, {j}]");
        var v = TestTensors.Normal(9, N);
        var product = Derivatives.HessianVector(F, TestTensors.Normal(8, N), v).ToArray<double>();
        for (var i = 0; i < N; i++)
        {
            var expected = (2 * v.At(i)) - (i > 0 ? v.At(i - 1) : 0) - (i < N - 1 ? v.At(i + 1) : 0);
            Assert.Equal(expected, product[i], 12);
        }
    }

    [Fact]
    public void Symmetry_TakesTheMean_AndSaysHowFarOffItWas()
    {
        var (matrix, asymmetry) = Symmetry.Enforce(Tensor.Of([1.0, 2, 4, 3], 2, 2));
        Assert.Equal([1.0, 3, 3, 3], matrix.ToArray<double>());
        Assert.Equal(2, asymmetry);
        Assert.Throws<ShapeException>(() => Symmetry.Enforce(Tensor.Zeros(DType.Float64, 2, 3)));
    }

    [Fact]
    public void Hessian_OfAComposedFunction_IsTheChainRuleOfSecondOrder()
    {
        // HO-04: H of g(f(x)) is g'' ∇f ∇fᵀ + g' H of f.
        static Value F(Value x) => (x.Sin() * x).Sum();
        var at = TestTensors.Normal(10, 3);
        var inner = Derivatives.Hessian(x => (Variable)F(x), at);
        var slope = Derivatives.Gradient(x => (Variable)F(x), at);
        var value = ((Variable)F(new Variable(at))).Data.At();
        var whole = Derivatives.Hessian(x => (Variable)F(x).Tanh(), at);
        var first = 1 - Math.Pow(Math.Tanh(value), 2);
        for (var i = 0; i < 3; i++)
            for (var j = 0; j < 3; j++)
                Assert.Equal(
                    (-2 * Math.Tanh(value) * first * slope.At(i) * slope.At(j)) + (first * inner.At(i, j)),
                    whole.At(i, j), 11);
    }
}
