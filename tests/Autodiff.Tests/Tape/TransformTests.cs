using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// AD-03, AD-13, OPS-14, OPS-15, GIR-02, HO-01..06, EST-01, DBG-09: transforms of functions, hooks, operators of users,
/// finding NaNs.
/// </summary>
public sealed class TransformTests
{
    [Fact]
    public void Vmap_IsTheFunctionOfEachSample()
    {
        var (w, x) = (Random(1, 4, 3), Random(2, 5, 3));
        Value F(Value[] v) => (v[1].MatMul(v[0], tb: true).Tanh() * v[1].Softmax().Sum()).CumSum(0).LogSumExp();
        var all = (Variable)Vmap.Run(v => F(v), [new Variable(w), new Variable(x)], [true, false]);
        for (var n = 0; n < 5; n++)
        {
            var one = (Variable)F([new Variable(w), new Variable(x.Slice(n))]);
            Assert.Equal(one.Data.At(), all.Data.At(n), 12);
        }
    }

    [Fact]
    public void Vmap_WithoutARule_GoesSampleBySample()
    {
        // A forward by hand knows one sample only; its formula, where there is one, is written in operators.
        Tensor Forward(IReadOnlyList<Tensor> x) => ((Variable)new Variable(x[0]).CumSum(0)).Data;
        var byHand = CustomOperator.Define("by-hand", t => t[0], Forward, g => [g.Gradient.Flip(0).CumSum(0).Flip(0)]);
        var written = CustomOperator.Define("written", t => t[0], Forward, v => v[0].CumSum(0));
        var x = Random(3, 4, 3, 2);
        foreach (var (op, loops) in new[] { (byHand, 1), (written, 0) })
        {
            var looped = new List<string>();
            var all = (Variable)Vmap.Run(v => [op.Apply(v[0]).Kron(v[0])], [new Variable(x)], [0], looped)[0];
            Assert.Equal(loops, looped.Count);
            var one = (Variable)op.Apply(new Variable(x.Slice(2))).Kron(new Variable(x.Slice(2)));
            Assert.Equal(one.Data.ToArray<double>(), all.Data.Slice(2).ToArray<double>());
        }
    }

    [Fact]
    public void Vmap_TakesSamplesAlongAnyDimension()
    {
        var (a, b) = (Random(4, 3, 5, 2), Random(5, 4, 2));
        Value[] inputs = [new Variable(a), new Variable(b)];
        var all = (Variable)Vmap.Run(v => v[1].MatMul(v[0], tb: true), inputs, [1, null], -1);
        Assert.Equal(new Shape(4, 3, 5), all.Data.Shape);
        for (var n = 0; n < 5; n++)
        {
            var one = (Variable)new Variable(b).MatMul(new Variable(a.Slice(SliceSpec.All, n)), tb: true);
            Near(one.Data, all.Data.Slice(SliceSpec.All, SliceSpec.All, n));
        }

        Assert.Contains("no dimension 3", Assert.Throws<ShapeException>(
            () => Vmap.Run(v => v[0], [new Variable(a)], [3])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vmap_OfNoSamples_GivesNone()
    {
        var image = new Variable(Tensor.Zeros(DType.Float64, 0, 1, 2, 4, 4));
        var weight = new Variable(Tensor.Zeros(DType.Float64, 0, 3, 2, 2, 2));
        var y = (Variable)Vmap.Run(v => v[0].Conv2d(v[1]), [image, weight]);
        Assert.Equal(new Shape(0, 1, 3, 3, 3), y.Data.Shape);
    }

    [Fact]
    public void Vmap_Nested_AndUnderAGradient()
    {
        var x = new Variable(Random(4, 3, 4, 2), requiresGradient: true);
        var y = (Variable)Vmap.Run(v => Vmap.Run(u => (u[0].Sin() * u[0]).Sum(), [v[0]]), [x]);
        Assert.Equal(new Shape(3, 4), y.Data.Shape);
        y.Backward(Tensor.Ones(DType.Float64, 3, 4));
        var v = x.Data.At(1, 2, 1);
        Assert.Equal((Math.Cos(v) * v) + Math.Sin(v), x.Gradient!.At(1, 2, 1), 12);
    }

    [Fact]
    public void PerSampleGradients_AreThoseOfEachSampleAlone()
    {
        Tensor[] p = [Random(5, 4, 3), Random(6, 4)];
        var (x, y) = (Random(7, 6, 3), Random(8, 6, 4));
        Value Loss(Value[] w, Value[] d) => (d[0].Linear(w[0], w[1]).Tanh() - d[1]).Square().Sum();
        var all = Vmap.PerSampleGradients(Loss, p, [x, y]);
        for (var n = 0; n < 6; n++)
        {
            Variable[] free = [.. p.Select(t => new Variable(t, true))];
            ((Variable)Loss([.. free], [new Variable(x.Slice(n)), new Variable(y.Slice(n))])).Backward();
            for (var i = 0; i < p.Length; i++) Near(free[i].Gradient!, all[i].Slice(n));
        }
    }

    [Fact]
    public void ForwardOverReverse_IsTheHessianTimesVector()
    {
        Variable F(Variable x) => (Variable)(x.Tanh() * x.Exp()).Sum().Square();
        var (at, v) = (Random(9, 5), Random(10, 5));
        var x = new Variable(at, requiresGradient: true);
        var gradient = Differentiate.Gradient([F(x)], [x], createGraph: true)[0];
        Near(Derivatives.HessianVector(F, at, v), Differentiate.Forward([gradient], [x], [new Variable(v)])[0].Data);
    }

    [Fact]
    public void HessianDiagonal_IsTheDiagonalOfTheHessian()
    {
        Variable F(Variable x) => (Variable)(x.Softmax() * x.Sin()).Sum();
        var x = Random(11, 4);
        var (diagonal, whole) = (Derivatives.HessianDiagonal(F, x), Derivatives.Hessian(F, x));
        for (var i = 0; i < 4; i++) Assert.Equal(whole.At(i, i), diagonal.At(i), 12);
    }

    [Fact]
    public void ThirdDerivativeOfADeepChain_IsRight()
    {
        // d³/dx³ of sin applied to 2x four times over is compared with central differences of the second derivative.
        Value Chain(Value x)
        {
            for (var i = 0; i < 4; i++) x = (x * 1.5).Tanh();
            return x;
        }

        double Second(double at)
        {
            var x = new Variable(Tensor.Of([at], 1), true);
            var first = Differentiate.Gradient([(Variable)Chain(x).Sum()], [x], createGraph: true)[0];
            return Differentiate.Gradient([first], [x])[0].Data.At(0);
        }

        var free = new Variable(Tensor.Of([0.3], 1), true);
        var one = Differentiate.Gradient([(Variable)Chain(free).Sum()], [free], createGraph: true)[0];
        var two = Differentiate.Gradient([one], [free], createGraph: true)[0];
        var three = Differentiate.Gradient([two], [free])[0].Data.At(0);
        Assert.Equal((Second(0.3 + 1e-5) - Second(0.3 - 1e-5)) / 2e-5, three, 5);
    }

    [Fact]
    public void Hooks_SeeAndReplaceTheWholeGradient()
    {
        var x = new Variable(Tensor.Of([2.0], 1), requiresGradient: true);
        var y = (Variable)(x * 3);
        var seen = new List<double>();
        y.OnGradient(g =>
        {
            seen.Add(g.Data.At(0));
            return (Variable)(g * 10);
        });
        ((Variable)(y + (y * y)).Sum()).Backward();
        Assert.Equal([13.0], seen);
        Assert.Equal(390, x.Gradient!.At(0), 12);
    }

    [Fact]
    public void Backward_LetsTheTapeGo()
    {
        var x = new Variable(Tensor.Of([2.0], 1), requiresGradient: true);
        var y = (Variable)x.Exp().Square().Sum();
        y.Backward();
        Assert.Contains("released", Assert.Throws<GradientException>(() => y.Backward()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void CustomOperator_DifferentiatesItsFormula_ToAnyOrder()
    {
        var cube = CustomOperator.Define(
            "cube", types => types[0],
            x => Tensor.Of<double>([.. x[0].ToArray<double>().Select(v => v * v * v)], x[0].Shape),
                (IReadOnlyList<Value> x) => x[0].Pow(3));
        Assert.All(cube.Check(Random(12, 4)), r => Assert.True(r.RelativeMax < 1e-6, r.ToString()));
        var at = new Variable(Tensor.Of([2.0], 1), requiresGradient: true);
        var first = Differentiate.Gradient([(Variable)cube.Apply(at)], [at], createGraph: true)[0];
        Assert.Equal(12, first.Data.At(0), 12);
        Assert.Equal(12, Differentiate.Gradient([first], [at])[0].Data.At(0), 12);
        Assert.Equal(12,
            Differentiate.Forward([(Variable)cube.Apply(at)], [at],
                [new Variable(Tensor.Ones(DType.Float64, 1))])[0].Data.At(0), 12);
    }

    [Fact]
    public void CustomOperator_InAGraph_IsRefused()
    {
        var twice = CustomOperator.Define("twice", t => t[0], x => x[0], g => [g.Gradient * 2]);
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float64, 2);
        Assert.Contains("table", Assert.Throws<UnsupportedException>(() => twice.Apply(x)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void GradientOverride_EndsWithItsScope()
    {
        double Slope()
        {
            var x = new Variable(Tensor.Of([-1.0], 1), requiresGradient: true);
            ((Variable)x.Relu().Sum()).Backward();
            return x.Gradient!.At(0);
        }

        using (GradientOverride.Use(OpTable.Relu, g => [g.Gradient])) Assert.Equal(1, Slope());
        Assert.Equal(0, Slope());
    }

    [Fact]
    public void StraightThrough_PassesTheGradientOfTheSoftValue()
    {
        var x = new Variable(Tensor.Of([0.3, 0.9], 2), requiresGradient: true);
        var y = (Variable)x.Builder.Apply(OpTable.StraightThrough, Attributes.None, [x.Round(), x.Sigmoid()])[0];
        Near(Tensor.Of([0.0, 1.0], 2), y.Data);
        y.Backward(Tensor.Ones(DType.Float64, 2));
        var s = 1 / (1 + Math.Exp(-0.3));
        Assert.Equal(s * (1 - s), x.Gradient!.At(0), 12);
    }

    [Fact]
    public void AnomalyMode_NamesTheFirstOperatorAndTheStep()
    {
        var x = new Variable(Tensor.Of([-1.0, 1], 2), requiresGradient: true);
        using var scope = AnomalyMode.On(step: 41);
        var fault = Assert.Throws<AnomalyException>(() => (x.Log() + 1).Exp());
        Assert.StartsWith("log", fault.Message, StringComparison.Ordinal);
        Assert.Contains("step 41", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("...ij,...jk->...ik", new[] { 2, 3, 4 }, new[] { 2, 4, 5 }, new[] { 2, 3, 5 })]
    [InlineData("...ij,...jk->...ik", new[] { 7, 1, 3, 4 }, new[] { 2, 4, 5 }, new[] { 7, 2, 3, 5 })]
    [InlineData("i...,i...", new[] { 3, 2 }, new[] { 3, 2 }, new[] { 2 })]
    public void Einsum_Ellipsis(string spec, int[] a, int[] b, int[] expected)
    {
        var (x, y) = (new Variable(Random(13, a), true), new Variable(Random(14, b)));
        var z = (Variable)Functions.Einsum(spec, x, y);
        Assert.Equal(expected, z.Data.Shape.Dims.ToArray());
        if (a.Length > 2) Near(((Variable)x.MatMul(y)).Data, z.Data);
        z.Backward(Tensor.Ones(DType.Float64, expected));
        Assert.Equal(a, x.Gradient!.Shape.Dims.ToArray());
    }

    [Fact]
    public void Einsum_OfMany_TakesTheCheapOrder()
    {
        // Left to right the first product has 60 x 60 x 60 terms; from the right there are two products with a vector.
        var (a, b, v) = (Random(15, 60, 60), Random(16, 60, 60), Random(17, 60));
        var graph = new GraphBuilder();
        var z = Functions.Einsum(
            "ij,jk,k->i", graph.Input("a", DType.Float64, 60, 60), graph.Input("b", DType.Float64, 60, 60),
                graph.Input("v", DType.Float64, 60));
        graph.Output("z", z);
        var built = graph.Build();
        var flops =
            built.Nodes.Sum(n => n.Op.Cost(n.Attributes, [.. n.Inputs.Select(built.TypeOf)], [.. n.Types], 1).Flops);
        Assert.True(flops <= 2 * 2 * 60 * 60, $"{flops} operations");
        var direct = ((Variable)new Variable(a).MatMul(new Variable(b)).MatMul(new Variable(v))).Data;
        Near(direct,
            ((Variable)Functions.Einsum("ij,jk,k->i", new Variable(a), new Variable(b), new Variable(v))).Data);
    }

    [Theory]
    [InlineData("i.j->ij", "character 2")]
    [InlineData("ij,j?->i", "character 5")]
    [InlineData("ij->ik", "character 6")]
    [InlineData("ij->ii", "character 6")]
    public void Einsum_Errors_PointAtTheCharacter(string spec, string place)
    {
        var x = new Variable(Random(18, 2, 2));
        var fault = Assert.Throws<ShapeException>(() => Functions.Einsum(spec, spec.Contains(',') ? [x, x] : [x]));
        Assert.Contains(place, fault.Message, StringComparison.Ordinal);
    }

    private static void Near(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.All(expected.ToArray<double>().Zip(actual.ToArray<double>()), p => Assert.Equal(p.First, p.Second, 10));
    }

    private static Tensor Random(ulong stream, params int[] dims)
    {
        var tensor = Tensor.Zeros(DType.Float64, dims);
        var random = new RandomStream(5, RandomPurpose.Mask, stream);
        var values = tensor.Writable<double>();
        for (var i = 0; i < values.Length; i++) values[i] = random.Normal(i);
        return tensor;
    }

    [Fact]
    public void RulesOfTheUser_AreTheGradientInBothModes()
    {
        // OPS-15, OPS-17: forward mode had the built-in rule, so that a Jacobian depended on how it was taken.
        Tensor[] Both(Func<Variable, Variable> f, Tensor x) =>
            [.. new[] { JacobianMode.Rows, JacobianMode.Columns }.Select(m => Derivatives.Jacobian(f, x, m))];
        var x = Tensor.Of([0.3, -0.4], 2);
        using (GradientOverride.Use(OpTable.Sin, g => [g.Gradient * g.Inputs[0] * 7]))
        {
            foreach (var jacobian in Both(v => (Variable)v.Sin(), x))
                TestTensors.Near(Tensor.Of([2.1, 0, 0, -2.8], 2, 2), jacobian);
            TestTensors.Near(Tensor.Of([7.0, 7], 2), Derivatives.Jvp(
                v => (Variable)Transform.Grad(u => u.Sin().Sum())(v), x, Tensor.Of([1.0, 1], 2)).Tangent);
        }

        using (Subgradients.Use(KinkRule.Right))
            foreach (var jacobian in Both(v => (Variable)v.Abs(), Tensor.Zeros(DType.Float64, 1)))
                Assert.Equal(1, jacobian.At(0, 0));
        foreach (var jacobian in Both(v => (Variable)v.Abs(), Tensor.Zeros(DType.Float64, 1)))
            Assert.Equal(0, jacobian.At(0, 0));
    }
}
