using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Passes.Rewriting;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>OPT-18: functions of a user's own are captured, rewritten, fused and vectorized, to the bit.</summary>
public sealed class OptimizedFunctionTests
{
    private static Variable Random(ulong seed, bool gradient, params int[] dims)
    {
        var stream = new RandomStream(seed, RandomPurpose.Mask, 1);
        var shape = new Shape(dims);
        var values = new float[shape.Count];
        for (var i = 0; i < values.Length; i++) values[i] = stream.Normal(i);
        return new Variable(Tensor.Of<float>(values, shape), gradient);
    }

    // A layer, an element-wise tail, a subexpression twice, a constant to fold, and something that nobody reads.
    private static Value Layer(Value[] x)
    {
        x[0].Exp().Sum();
        var h = (x[0].MatMul(x[1].Transpose()) * x[0].Constant(0.5).Square()).Tanh();
        var scale = (x[0].Constant(2) + 1).Sqrt();
        return ((h * scale) - h.Sigmoid()) / ((h * scale).Abs() + 1);
    }

    private static float[] Numbers(Value v) => ((Variable)v).Data.ToArray<float>();

    [Fact]
    public void TheBitsAreThoseOfTheFunction_WithAndWithoutAGradient()
    {
        var f = OptimizedFunction.Of("layer", Layer);
        Variable[] x = [Random(1, false, 37, 20), Random(2, false, 50, 20)];
        var expected = Numbers(Layer([.. x]));
        Assert.Equal(expected, Numbers(f.Apply([.. x])));

        Variable[] a = [Random(1, true, 37, 20), Random(2, true, 50, 20)];
        Variable[] b = [Random(1, true, 37, 20), Random(2, true, 50, 20)];
        var (y, z) = ((Variable)f.Apply([.. a]), (Variable)Layer([.. b]));
        Assert.Equal(expected, Numbers(y));
        ((Variable)y.Sum()).Backward();
        ((Variable)z.Sum()).Backward();
        for (var i = 0; i < 2; i++)
            foreach (var (g, h) in Numbers(new Variable(a[i].Gradient!)).Zip(Numbers(new Variable(b[i].Gradient!))))
                Assert.Equal(h, g, 1e-4f * MathF.Max(1, MathF.Abs(h)));
    }

    [Fact]
    public void ACaptureHoldsNoLock_WhileTheFunctionCallsAnother()
    {
        // PAR-08: two locks of one rank, one inside the other, would be refused (LO-1).
        var inner = OptimizedFunction.Of("inner", x => x[0].Tanh() * 2);
        var outer = OptimizedFunction.Of("outer", x => inner.Apply(x[0].Exp()) + 1);
        var x = Random(3, false, 4, 5);
        Assert.Equal(Numbers((x.Exp().Tanh() * 2) + 1), Numbers(outer.Apply(x)));
    }

    [Fact]
    public void TheReportSaysWhatWasDone()
    {
        var f = OptimizedFunction.Of("layer", Layer);
        var report = f.ReportFor(new TensorType(DType.Float32, 37, 20), new TensorType(DType.Float32, 50, 20));
        Assert.True(report.NodesAfter < report.NodesBefore - 6, $"{report}");
        Assert.Contains(report.Passes, p => p.Pass == "common subexpressions" && p.NodesAfter < p.NodesBefore);
        Assert.Contains(report.Passes, p => p.Rules.Any(r => r is { Rule: "f of two constants", Count: > 0 }));
        Assert.Equal(1, report.Fusion.Groups);
        Assert.True(report.Fusion.Operators >= 6, $"{report.Fusion}");
        Assert.Null(report.Merged);
        Assert.Equal(0, OptimizedFunction.Of("layer", Layer, new FunctionOptions { FuseElementwise = false })
            .ReportFor(new TensorType(DType.Float32, 3, 2), new TensorType(DType.Float32, 5, 2)).Fusion.Groups);
    }

    [Fact]
    public void RulesOfTheUser_GoFirst()
    {
        var rules = new RuleSet("mine", RewriteRule.Parse("log(exp(x)) => x"));
        var f = OptimizedFunction.Of("f", x => x[0].Exp().Log() * 2, new FunctionOptions { Rules = rules });
        var x = Random(3, false, 4);
        Assert.Equal(Numbers(x * 2), Numbers(f.Apply(x)));
        Assert.Equal(new RuleReport("log(exp(x)) => x", 1) { Tried = 1 },
            Assert.Single(f.ReportFor(x.Type).Passes[0].Rules));
    }

    [Fact]
    public void ChainsOfProducts_MergeWhereThatIsAskedFor()
    {
        var f = OptimizedFunction.Of("chain", x => x[0].MatMul(x[1]).MatMul(x[2]),
            new FunctionOptions { MergeContractions = true });
        Variable[] x = [Random(1, false, 40, 30), Random(2, false, 30, 40), Random(3, false, 40, 1)];
        var report = f.ReportFor([.. x.Select(v => v.Type)]);
        Assert.Equal((1, 2), (report.Merged!.Chains, report.Merged.Contractions));
        Assert.True(report.Merged.FlopsAfter * 10 < report.Merged.FlopsBefore);
        foreach (var (a, b) in Numbers(f.Apply([.. x])).Zip(Numbers(x[0].MatMul(x[1]).MatMul(x[2]))))
            Assert.Equal(b, a, 1e-3f * MathF.Max(1, MathF.Abs(b)));
    }

    [Fact]
    public void AFunctionOfOneSample_RunsForManyAtOnce()
    {
        Value One(Value[] x) => (x[0] * x[1]).Tanh().Sum() + x[0].Max();
        var many = OptimizedFunction.Of("one", One).Vectorized(false, true);
        var (rows, shared) = (Random(4, false, 9, 5), Random(5, false, 5));
        var together = Numbers(many.Apply(rows, shared));
        for (var i = 0; i < 9; i++)
            Assert.Equal(Numbers(One([rows.Slice(0, i, 1).Reshape(5), shared]))[0], together[i], 1e-6f);
        var report = many.ReportFor(rows.Type, shared.Type);
        Assert.Empty(report.Looped);
        // As many operators as the function has for one sample, not nine times that.
        Assert.True(report.NodesAfter < 12, $"{report.NodesAfter}");
    }

    [Fact]
    public void TypesHaveCapturesOfTheirOwn_AndAGraphCanCarryIt()
    {
        var captured = 0;
        var f = OptimizedFunction.Of("f", x =>
        {
            captured++;
            return x[0].Exp() * 2;
        });
        for (var i = 0; i < 3; i++) f.Apply(Random(1, false, 4));
        Assert.Equal(1, captured);
        f.Apply(new Variable(Tensor.Of([1.0, 2], 2)));
        Assert.Equal(2, captured);
        for (var n = 1; n <= OptimizedFunction.CapturesMax + 1; n++) f.Apply(Random(1, false, n, 1));
        f.Apply(Random(1, false, 4));
        Assert.Equal(2 + OptimizedFunction.CapturesMax + 2, captured);

        var b = new GraphBuilder();
        b.Output("y", f.Apply(b.Input("x", DType.Float32, 4)));
        Assert.Contains(b.Build().Nodes, n => n.Op == OpTable.Exp);
        Assert.Throws<ShapeException>(() => f.Apply());
    }

    [Fact]
    public void SecondDerivatives_GoThrough()
    {
        var f = OptimizedFunction.Of("cube", x => x[0] * x[0] * x[0]);
        var h = Derivatives.Hessian(x => (Variable)f.Apply(x).Sum(), Tensor.Of([1.0, -2], 2)).ToArray<double>();
        Assert.Equal([6, 0, 0, -12], h);
    }
}
