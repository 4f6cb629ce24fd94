using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Optim.Gradients;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Examples;

/// <summary>
/// Twelve small programs against the library, each with what it prints as its check. Read from the top.
/// </summary>
public sealed class ExamplePrograms
{
    [Fact]
    public void E01_TheSlopeOfACurve()
    {
        var x = new Variable(Tensor.Of([2.0], 1), requiresGradient: true);
        var y = (Variable)(x.Square() * x + x.Sin()).Sum();
        y.Backward();
        Assert.Equal(12 + Math.Cos(2), x.Gradient!.At(0), 12);
    }

    [Fact]
    public void E02_FitALineByGradientDescent()
    {
        var x = new Variable(Tensor.Of([0.0, 1, 2, 3], 4));
        var y = new Variable(Tensor.Of([1.0, 3, 5, 7], 4));
        var slope = new Variable(Tensor.Zeros(DType.Float64), requiresGradient: true);
        var shift = new Variable(Tensor.Zeros(DType.Float64), requiresGradient: true);
        var optimizer = new VariableOptimizer(new OptimizerSpec { Kind = "sgd", Lr = 0.1 }, [slope, shift]);
        for (var step = 0; step < 500; step++)
        {
            ((Variable)((x * slope) + shift - y).Square().Mean()).Backward();
            optimizer.Step();
            optimizer.ClearGradients();
        }

        Assert.Equal(2, slope.Data.At(), 6);
        Assert.Equal(1, shift.Data.At(), 6);
    }

    [Fact]
    public void E03_ControlFlowThatDependsOnValues()
    {
        var x = new Variable(Tensor.Of([1.5], 1), requiresGradient: true);
        Value y = x;
        var rounds = 0;
        for (; ((Variable)y).Data.At(0) < 100; rounds++) y = y * y;
        ((Variable)y.Sum()).Backward();
        Assert.Equal(4, rounds);
        Assert.Equal(16 * Math.Pow(1.5, 15), x.Gradient!.At(0), 6);
    }

    [Fact]
    public void E04_JacobianByRowsOrColumns()
    {
        static Variable Polar(Variable p) =>
            (Variable)Functions.Concat(0, p.Slice(0, 0, 1) * p.Slice(0, 1, 1).Cos(),
                p.Slice(0, 0, 1) * p.Slice(0, 1, 1).Sin());
        var jacobian = Derivatives.Jacobian(Polar, Tensor.Of([2.0, 0.5], 2));
        Assert.Equal(2, (jacobian.At(0, 0) * jacobian.At(1, 1)) - (jacobian.At(0, 1) * jacobian.At(1, 0)), 12);
    }

    [Fact]
    public void E05_NewtonsMethodWithAHessian()
    {
        static Variable F(Variable x) => (Variable)((x.Exp().Sum()) + (x * x).Sum());
        var x = Tensor.Of([1.0, -1], 2);
        for (var i = 0; i < 8; i++)
        {
            var step =
                (Variable)new Variable(Derivatives.Hessian(F, x)).Solve(
                    new Variable(Derivatives.Gradient(F, x)).Reshape(2, 1));
            x = ((Variable)(new Variable(x) - step.Reshape(2))).Data;
        }

        Assert.Equal(0, Derivatives.Gradient(F, x).At(0), 12);
    }

    [Fact]
    public void E06_HessianTimesVectorWithoutTheHessian()
    {
        static Variable F(Variable x) => (Variable)x.Square().Sum().Square();
        var product = Derivatives.HessianVector(F, Tensor.Of([1.0, 2], 2), Tensor.Of([1.0, 0], 2));
        Assert.Equal([(4 * 5) + 8, 16], product.ToArray<double>().Select(v => Math.Round(v, 9)));
    }

    [Fact]
    public void E07_GradientsOfEachSample()
    {
        var gradients = Vmap.PerSampleGradients(
            (p, d) => (p[0] * d[0]).Sum().Square(), [Tensor.Of([1.0, 1], 2)], [Tensor.Of([1.0, 2, 3, 4], 2, 2)]);
        Assert.Equal([6.0, 12, 42, 56], gradients[0].ToArray<double>());
    }

    [Fact]
    public void E08_ContractionsOfAnyShape()
    {
        var (u, m, v) =
            (new Variable(Tensor.Of([1.0, 2], 2)), new Variable(Tensor.Of([1.0, 2, 3, 4], 2, 2)),
                new Variable(Tensor.Of([3.0, 1], 2)));
        Assert.Equal(31, ((Variable)Functions.Einsum("i,ij,j->", u, m, v)).Data.At(), 12);
        Assert.Equal(5, ((Variable)Functions.Einsum("ii", m)).Data.At(), 12);
    }

    [Fact]
    public void E09_AnOperatorOfYourOwn()
    {
        var clip = CustomOperator.Define(
            "soft-clip", types => types[0],
            x => Tensor.Of<double>([.. x[0].ToArray<double>().Select(Math.Tanh)], x[0].Shape),
                (IReadOnlyList<Value> x) => x[0].Tanh());
        var checks = clip.Check(Tensor.Of([0.3, -0.8], 2));
        Assert.True(GradCheck.Passes(checks[0]));
    }

    [Fact]
    public void E10_AModelAsAGraph()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float32, Dim.Batch, 3);
        var w = builder.Parameter("w", ParameterInit.Zeros, 2, 3);
        builder.Output("loss_sum", x.Linear(w).Square().Sum());
        var graph = PassPipeline.Training(builder.Build());
        Assert.NotNull(graph.Output("grad:w"));
        Assert.Equal(graph.Nodes.Length, GraphCodec.Decode(GraphCodec.Encode(graph)).Nodes.Length);
    }

    [Fact]
    public void E11_APipelineOfGradientStages()
    {
        double[] w = [4, -3], g = [4, double.NaN];
        var reports = new GradientPipeline(new CleanGradients(), new ClipByGlobalNorm(1))
            .Apply(new GradientSet([new GradientPart("w", g, w, 0)], 1));
        UpdateRule.Create(new OptimizerSpec { Kind = "sgd" }).Apply<double>(w, g, [], new RuleStep(1, 0.5));
        Assert.Equal([3.5, -3], w);
        Assert.Equal("clip by global norm: norm 4 -> 1", reports[1].ToString());
    }

    [Fact]
    public void E12_MatricesWithGradients()
    {
        // d ln det A / dA is the inverse of A, transposed.
        var a = new Variable(Tensor.Of([2.0, 1, 1, 3], 2, 2), requiresGradient: true);
        ((Variable)a.LogDet()).Backward();
        Assert.Equal([0.6, -0.2, -0.2, 0.4], a.Gradient!.ToArray<double>().Select(v => Math.Round(v, 12)));
    }
}
