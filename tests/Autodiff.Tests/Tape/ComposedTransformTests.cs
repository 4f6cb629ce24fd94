using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>HO-02, HO-05, HO-08: transforms of functions inside each other, and ways to one vector-Jacobian
/// product.</summary>
public sealed class ComposedTransformTests
{
    private static Value F(Value x) => (x.Tanh() * x.Exp()).Sum() + (x.Softmax() * x.Sin()).Sum();

    private static Tensor T(Value value) => ((Variable)value).Data;

    private static Variable V(Tensor tensor) => new(tensor);

    [Fact]
    public void GradAndJit_GoInsideEachOther()
    {
        var x = TestTensors.Normal(1, 4);
        var expected = Derivatives.Gradient(v => (Variable)F(v), x);
        TestTensors.Near(expected, T(Transform.Grad(F)(V(x))));
        TestTensors.Near(expected, T(Transform.Grad(Transform.Jit(F))(V(x))));
        TestTensors.Near(expected, T(Transform.Jit(Transform.Grad(F))(V(x))));
        TestTensors.Near(expected, T(Transform.Jit(Transform.Grad(Transform.Jit(F)))(V(x))));
    }

    [Fact]
    public void GradVmapAndJit_InAllOrders_AreTheGradientOfEachRow()
    {
        var x = TestTensors.Normal(2, 5, 4);
        var rows = Enumerable.Range(0, 5).Select(r => Derivatives.Gradient(v => (Variable)F(v), x.Slice(r).Copy()));
        var expected = Tensor.Of<double>([.. rows.SelectMany(r => r.ToArray<double>())], x.Shape);
        Func<Value, Value> g = Transform.Grad(F);
        Func<Value, Value>[] all =
        [
            Transform.Vmap(g), Transform.Jit(Transform.Vmap(g)), Transform.Vmap(Transform.Jit(g)),
            Transform.Vmap(Transform.Grad(Transform.Jit(F))), Transform.Jit(Transform.Vmap(Transform.Jit(g))),
            // The rows do not meet, so the gradient of the sum is the gradient of each.
            Transform.Grad(v => Transform.Vmap(F)(v).Sum()),
            Transform.Jit(Transform.Grad(v => Transform.Vmap(Transform.Jit(F))(v).Sum())),
        ];
        foreach (var one in all) TestTensors.Near(expected, T(one(V(x))));
    }

    [Fact]
    public void GradOfGrad_AndForwardOverReverse_AreTheHessian()
    {
        var x = TestTensors.Normal(3, 3);
        var hessian = Derivatives.Hessian(v => (Variable)F(v), x);
        var v = TestTensors.Normal(4, 3);
        var expected = Derivatives.HessianVector(u => (Variable)F(u), x, v);
        var gradient = Transform.Grad(F);
        TestTensors.Near(expected, T(Transform.Jvp(gradient)(V(x), V(v))));
        TestTensors.Near(expected, T(Transform.Jvp(Transform.Jit(gradient))(V(x), V(v))));
        TestTensors.Near(expected, T(Transform.Grad(u => (gradient(u) * V(v)).Sum())(V(x))));
        // All rows of the Hessian at once: the same point along every unit vector.
        var units = V(Tensor.Of([1.0, 0, 0, 0, 1, 0, 0, 0, 1], 3, 3));
        var rows = Transform.Vmap(all => Transform.Jvp(gradient)(all[0], all[1]), [true, false])([V(x), units]);
        TestTensors.Near(hessian, T(rows));
        var third = Transform.Grad(u => Transform.Grad(w => gradient(w).Square().Sum())(u).Sum());
        var jitted = Transform.Jit(third);
        TestTensors.Near(T(third(V(x))), T(jitted(V(x))));
    }

    [Fact]
    public void SeveralArguments_GradOfOne()
    {
        var (w, x) = (TestTensors.Normal(5, 4, 3), TestTensors.Normal(6, 3));
        static Value Loss(Value[] p) => p[0].MatMul(p[1]).Tanh().Square().Sum();
        for (var argument = 0; argument < 2; argument++)
        {
            Variable[] free = [new(w, true), new(x, true)];
            ((Variable)Loss([.. free])).Backward();
            var gradient = Transform.Grad(Loss, argument);
            TestTensors.Near(free[argument].Gradient!, T(gradient([V(w), V(x)])));
            TestTensors.Near(free[argument].Gradient!, T(Transform.JitOf(gradient)([V(w), V(x)])));
        }
    }

    [Fact]
    public void Jit_IsDifferentiableByTheTape_AndKeepsOneGraphPerShape()
    {
        var calls = 0;
        var jitted = Transform.Jit(x =>
        {
            calls++;
            return F(x);
        });
        foreach (var n in new[] { 3, 4, 3, 4, 3 })
        {
            var free = new Variable(TestTensors.Normal(7, n), requiresGradient: true);
            ((Variable)jitted(free)).Backward();
            TestTensors.Near(Derivatives.Gradient(v => (Variable)F(v), free.Data), free.Gradient!);
        }

        Assert.Equal(2, calls);
        // The seventeenth shape pushes the oldest out.
        for (var n = 1; n <= 17; n++) jitted(V(TestTensors.Normal(8, n)));
        Assert.Equal(17, calls);
        jitted(V(TestTensors.Normal(8, 17)));
        Assert.Equal(17, calls);
        jitted(V(TestTensors.Normal(8, 1)));
        Assert.Equal(18, calls);
    }

    [Fact]
    public void FunctionsThatLookAtNumbers_AndWrongShapes_AreRefused()
    {
        var x = V(TestTensors.Normal(9, 2));
        var peeks = Transform.Jit(v => ((Variable)v).Data.At(0) > 0 ? v : -v);
        Assert.Contains("looks at numbers", Assert.Throws<ShapeException>(() => peeks(x)).Message,
            StringComparison.Ordinal);
        Assert.Contains("one number", Assert.Throws<ShapeException>(() => Transform.Grad(v => v.Sin())(x)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => Transform.Jvp(F)(x, V(TestTensors.Normal(9, 3))));
        // What the function holds is a constant for it, be it the argument itself.
        Assert.Equal(x.Data.ToArray<double>(), T(Transform.Grad(v => (v * x).Sum())(x)).ToArray<double>());
        // Of a constant: zeros of x's shape.
        Assert.Equal([0.0, 0], T(Transform.Grad(_ => x.Sum())(x)).ToArray<double>());
    }

    private static FunctionChain Chain(Action? counted = null) => new(
        x =>
        {
            counted?.Invoke();
            return x.MatMul(V(TestTensors.Normal(11, 4, 6))).Tanh();
        },
        x => (x * x.Sigmoid()).MatMul(V(TestTensors.Normal(12, 6, 5))),
        x => x.Softplus());

    // The same with its matrices made of the argument, because a graph takes no numbers from outside.
    private static FunctionChain Closed() => new(x => x.Tanh(), x => x * x.Sigmoid(), x => x.Linear(x).Softplus());

    [Fact]
    public void Strategies_AgreeOnValueAndGradients()
    {
        // HO-02
        var (x, f) = (TestTensors.Normal(13, 3, 4), Chain());
        Tensor[] u = [TestTensors.Normal(14, 3, 5), TestTensors.Normal(15, 3, 5), TestTensors.Normal(16, 3, 5)];
        var standard = VjpStrategy.Standard.Run(f, x, u);
        for (var i = 0; i < u.Length; i++)
        {
            var (value, gradient) = Derivatives.Vjp(v => (Variable)f.Of(v), x, u[i]);
            Assert.Equal(value.ToArray<double>(), standard.Value.ToArray<double>());
            Assert.Equal(gradient.ToArray<double>(), standard.Gradients[i].ToArray<double>());
        }

        foreach (var strategy in new[] { VjpStrategy.Checkpointed, VjpStrategy.Vectorized, VjpStrategy.Adaptive() })
        {
            var other = strategy.Run(f, x, u);
            Assert.Equal(standard.Value.ToArray<double>(), other.Value.ToArray<double>());
            for (var i = 0; i < u.Length; i++) TestTensors.Near(standard.Gradients[i], other.Gradients[i]);
        }

        var closed = Closed();
        var fused = VjpStrategy.Fused(closed);
        Tensor[] w = [TestTensors.Normal(17, 3, 3), TestTensors.Normal(18, 3, 3)];
        var (expected, found) = (VjpStrategy.Standard.Run(closed, x, w), fused.Run(closed, x, w));
        TestTensors.Near(expected.Value, found.Value);
        for (var i = 0; i < w.Length; i++) TestTensors.Near(expected.Gradients[i], found.Gradients[i]);
        Assert.Throws<ArgumentException>(() => fused.Run(Closed(), x, w));
        Assert.Throws<ArgumentException>(() => VjpStrategy.Standard.Run(f, x));
    }

    [Fact]
    public void Checkpointed_ComputesEachLinkTwice_WithTheSameBits()
    {
        var calls = 0;
        var f = Chain(() => calls++);
        var (x, u) = (TestTensors.Normal(19, 3, 4), TestTensors.Normal(20, 3, 5));
        var again = VjpStrategy.Checkpointed.Run(f, x, u);
        Assert.Equal(2, calls);
        Assert.Equal(
            VjpStrategy.Standard.Run(f, x, u).Gradients[0].ToArray<double>(), again.Gradients[0].ToArray<double>());
    }

    [Fact]
    public void Adaptive_SaysWhatItChoseAndWhy()
    {
        var (x, u) = (TestTensors.Normal(21, 3, 4), TestTensors.Normal(22, 3, 5));
        Assert.Equal("standard: one vector", VjpStrategy.Adaptive().Run(Chain(), x, u).Strategy);
        Assert.Equal("vectorized: 2 vectors", VjpStrategy.Adaptive().Run(Chain(), x, u, u).Strategy);
        Assert.Matches("^checkpointed: a tape of [0-9]+ bytes is over 100$",
            VjpStrategy.Adaptive(100).Run(Chain(), x, u).Strategy);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void NthDerivative_OfSinAndOfAPower(int order)
    {
        // HO-05
        var x = TestTensors.Normal(23, 5);
        var found = Derivatives.Nth(v => (Variable)v.Sin(), x, order);
        for (var i = 0; i < 5; i++) Assert.Equal(Math.Sin(x.At(i) + (order * Math.PI / 2)), found.At(i), 11);
        var factor = Enumerable.Range(0, order).Aggregate(1.0, (f, k) => f * (8 - k));
        var power = Derivatives.Nth(v => (Variable)v.Pow(8), x, order);
        for (var i = 0; i < 5; i++)
        {
            var expected = factor * Math.Pow(x.At(i), 8 - order);
            Assert.Equal(expected, power.At(i), 1e-10 * Math.Max(1, Math.Abs(expected)));
        }

        Assert.Throws<ArgumentException>(() => Derivatives.Nth(v => v, x, -1));
    }
}
