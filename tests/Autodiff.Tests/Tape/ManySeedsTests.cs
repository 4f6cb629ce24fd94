using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>HO-04, TEST-09: Jacobians and Hessians take one pass for many rows, and say what row by row says.</summary>
public sealed class ManySeedsTests
{
    private static readonly Func<Variable, Variable>[] Functions =
    [
        x => (Variable)x.Tanh(),
        x => (Variable)(x.Softmax() * x.Sin()),
        x => (Variable)x.Reshape(2, 3).MatMul(x.Reshape(3, 2)).Exp(),
        x => (Variable)(x.Slice(0, 1, 4).Square() - x.Sum()),
        x => (Variable)(x.Reshape(3, 2).Transpose().Sum([0]).Sigmoid() * x.Square().Sum()),
        x => x,
        _ => new Variable(TestTensors.Normal(3, 4)),
    ];

    private static Tensor OneByOne(Variable y, Variable x)
    {
        var rows = Tensor.Zeros(DType.Float64, [.. y.Data.Shape.Dims, .. x.Data.Shape.Dims]);
        var n = (int)x.Data.Count;
        for (var i = 0; i < y.Data.Count; i++)
        {
            var seed = Tensor.Zeros(DType.Float64, [.. y.Data.Shape.Dims]);
            seed.Writable<double>()[i] = 1;
            var row = Differentiate.Gradient([y], [x], [new Variable(seed)])[0].Data;
            row.Values<double>().CopyTo(rows.Writable<double>()[(i * n)..]);
        }

        return rows;
    }

    [Fact]
    public void JacobiansAreThoseOfSinglePasses()
    {
        var at = TestTensors.Normal(1, 6);
        foreach (var f in Functions)
        {
            var x = new Variable(at, requiresGradient: true);
            TestTensors.Near(OneByOne(f(x), x), Derivatives.Jacobian(f, at, JacobianMode.Rows), 1e-13);
        }
    }

    [Fact]
    public void HessiansAreThoseOfSinglePasses()
    {
        var at = TestTensors.Normal(2, 6);
        foreach (var f in Functions[..^1])
        {
            var x = new Variable(at, requiresGradient: true);
            var gradient = Differentiate.Gradient([(Variable)f(x).Square().Sum()], [x], createGraph: true)[0];
            TestTensors.Near(
                OneByOne(gradient, x), Derivatives.Hessian(v => (Variable)f(v).Square().Sum(), at), 1e-13);
        }
    }

    [Fact]
    public void EachRuleRunsOnce_HoweverManyRows()
    {
        long Calls(int n)
        {
            var profile = new OpProfile(TimeProvider.System);
            using (profile.Start()) Derivatives.Jacobian(x => (Variable)x.Tanh().Square(), TestTensors.Normal(4, n));
            return profile.Timings.Sum(t => t.Calls);
        }

        Assert.Equal(Calls(5), Calls(50));
    }

    [Fact]
    public void GradientsOfOnePassAreBounded()
    {
        const int n = 1_500;
        var x = new Variable(TestTensors.Normal(5, n), requiresGradient: true);
        var y = (Variable)x.Tanh();
        var together = ManySeeds.AtOnce(History.Of([y]).Applications(), n);
        Assert.InRange(together, 1, (8 << 20) / (n * sizeof(double)));
        var jacobian = Derivatives.Jacobian(v => (Variable)v.Tanh(), x.Data);
        for (var i = 0; i < n; i++) Assert.Equal(1 - Math.Pow(Math.Tanh(x.Data.At(i)), 2), jacobian.At(i, i), 1e-12);
        Assert.Equal(n, jacobian.ToArray<double>().Count(v => v != 0));
    }

    [Fact]
    public void HooksSeeEachRow()
    {
        var (seen, n) = (0, 4);
        var jacobian = Derivatives.Jacobian(
            x =>
            {
                var middle = (Variable)x.Square();
                middle.OnGradient(g =>
                {
                    seen++;
                    return (Variable)(g * 2.0);
                });
                return (Variable)middle.Exp();
            },
            Tensor.Zeros(DType.Float64, n));
        Assert.Equal(n, seen);
        Assert.Equal(n * n, jacobian.Count);
    }
}
