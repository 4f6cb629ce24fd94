using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim.SecondOrder;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Optim.SecondOrder;

/// <summary>OPTIM-07: Newton steps by products with the Hessian, and steps divided by its diagonal.</summary>
public sealed class NewtonTests
{
    // Σ 100 (y - x²)² + (1 - x)², the valley of which is bent.
    private static Variable Rosenbrock(Variable[] p)
    {
        var (x, y) = (p[0].Slice(0, 0, 1), p[0].Slice(0, 1, 1));
        return (Variable)(((y - x.Square()).Square() * 100) + (1 - x).Square()).Sum();
    }

    private static (Func<Variable[], Variable> Loss, Tensor Minimum) Quadratic(int n)
    {
        var root = TestTensors.Normal(1, n, n);
        var a = ((Variable)(new Variable(root).MatMul(new Variable(root), tb: true)
            + new Variable(Tensor.Of([.. Enumerable.Range(0, n * n).Select(i => i % (n + 1) == 0 ? 1.0 : 0)], n, n))))
            .Data;
        var b = TestTensors.Normal(2, n);
        var minimum = ((Variable)new Variable(a).Solve(new Variable(b))).Data;
        Variable Loss(Variable[] p)
        {
            var x = (Value)p[0];
            return (Variable)((x * new Variable(a).MatMul(x)).Sum() * 0.5 - (x * new Variable(b)).Sum());
        }

        return (Loss, minimum);
    }

    [Fact]
    public void Newton_ReachesTheMinimumOfAQuadratic()
    {
        var (loss, minimum) = Quadratic(6);
        IReadOnlyList<Tensor> x = [TestTensors.Normal(3, 6)];
        for (var t = 0; t < 8; t++)
        {
            (x, var report) = NewtonStep.Run(loss, x);
            Assert.True(report.After <= report.Before);
            Assert.InRange(report.Products, 0, 7);
        }

        TestTensors.Near(minimum, x[0], 1e-9);
    }

    [Fact]
    public void Newton_ConvergesFasterThanInALine_WhereGradientDescentCrawls()
    {
        IReadOnlyList<Tensor> x = [Tensor.Of([-1.2, 1.0], 2)];
        var (steps, last) = (0, double.PositiveInfinity);
        for (; steps < 40 && last > 1e-12; steps++)
        {
            (x, var report) = NewtonStep.Run(Rosenbrock, x);
            last = report.After;
        }

        Assert.True(last <= 1e-12, $"{last} after {steps} steps");
        Assert.InRange(steps, 1, 30);
        Assert.Equal([1, 1], x[0].ToArray<double>().Select(v => Math.Round(v, 5)));
    }

    [Fact]
    public void NegativeCurvature_GoesDownAllTheSame()
    {
        // Around 0 the loss -x² + x⁴ is not convex: the Newton equation alone would climb to 0.
        static Variable Loss(Variable[] p) => (Variable)(p[0].Square().Square() - p[0].Square()).Sum();
        IReadOnlyList<Tensor> x = [Tensor.Of([0.1], 1)];
        (x, var report) = NewtonStep.Run(Loss, x);
        Assert.Equal(NewtonEnd.NegativeCurvature, report.End);
        Assert.True(report.After < report.Before);
        for (var t = 0; t < 20; t++) (x, report) = NewtonStep.Run(Loss, x);
        Assert.Equal(Math.Sqrt(0.5), x[0].At(0), 1e-6);
        Assert.True(NewtonStep.Run(Loss, [Tensor.Of([0.0], 1)]).Report is { Length: 0, GradientNorm: 0 });
    }

    [Fact]
    public void SeveralParameters_InFloat32_KeepShapesAndTypes()
    {
        Tensor[] start = [Tensor.Full(DType.Float32, 3, new Shape(2, 2)), Tensor.Full(DType.Float32, -1, new Shape(3))];
        static Variable Loss(Variable[] p) => (Variable)((p[0] - 1).Square().Sum() + ((p[1] + 2).Square().Sum() * 5));
        var (next, report) = NewtonStep.Run(Loss, start);
        for (var t = 0; t < 4; t++) (next, report) = NewtonStep.Run(Loss, next);
        Assert.Equal((new Shape(2, 2), DType.Float32, new Shape(3)), (next[0].Shape, next[0].DType, next[1].Shape));
        Assert.Equal(1, next[0].At(1, 1), 1e-4);
        Assert.Equal(-2, next[1].At(2), 1e-4);
        Assert.Equal(3, start[0].At(0, 0));
    }

    [Fact]
    public void Products_CostTheSameHoweverManyParameters_AndFormNoHessian()
    {
        // HO-04: a product with H is one pass back; the diagonal is one product per element.
        foreach (var n in new[] { 3, 300 })
        {
            var here = new LossAt(p => (Variable)p[0].Sin().Square().Sum(), [TestTensors.Normal(4, n)]);
            here.HessianVector(new double[n]);
            Assert.Equal(1, here.Products);
            here.HessianDiagonal();
            Assert.Equal(n + 1, here.Products);
        }
    }

    [Fact]
    public void DiagonalNewton_JumpsToTheMinimumOfASeparableLoss_ExactlyOrByProbes()
    {
        double[] scale = [1, 100, 0.01];
        Variable Loss(Variable[] p) =>
            (Variable)((p[0] - 2).Square() * new Variable(Tensor.Of(scale, 3))).Sum();
        foreach (var probes in new[] { 0, 1 })
        {
            var (next, before) = new DiagonalNewton(probes: probes).Step(Loss, [Tensor.Of([5.0, -3, 40], 3)]);
            Assert.Equal(9 + 2500 + 14.44, before, 9);
            Assert.All(next[0].ToArray<double>(), v => Assert.Equal(2, v, 1e-9));
        }
    }

    [Fact]
    public void EstimatedDiagonal_NearsTheDiagonal_AndIsRepeatable()
    {
        var (loss, _) = Quadratic(5);
        var here = new LossAt(loss, [TestTensors.Normal(6, 5)]);
        var exact = here.HessianDiagonal();
        var near = here.EstimateDiagonal(400, seed: 1);
        for (var i = 0; i < 5; i++) Assert.Equal(exact[i], near[i], 0.25 * exact[i]);
        Assert.Equal(near, here.EstimateDiagonal(400, seed: 1));
        Assert.NotEqual(near, here.EstimateDiagonal(400, seed: 1, step: 1));
        Assert.Throws<ArgumentException>(() => here.EstimateDiagonal(0, 1));
        Assert.Throws<ArgumentException>(() => here.HessianVector([1.0]));
        Assert.Throws<ShapeException>(() => new LossAt(p => p[0], [TestTensors.Normal(6, 5)]));
    }
}
