using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Laws;

/// <summary>
/// TEST-02: whole workflows: decompositions found by their gradients, chained products, a branching graph.
/// </summary>
public sealed class EndToEndTests
{
    private static Variable Of(int seed, params int[] dims) =>
        new(TestTensors.Normal((ulong)seed, dims), requiresGradient: true);

    // Adam in float64 until its last step; the loss before it.
    private static double Fit(Func<Value> loss, Variable[] free, int steps)
    {
        var rule = UpdateRule.Create(new OptimizerSpec { Kind = "adam" });
        var states = free.Select(v => rule.StateNames
            .Select(_ => (Memory<double>)new double[v.Data.Count]).ToArray()).ToArray();
        var last = 0.0;
        for (var step = 1; step <= steps; step++)
        {
            var value = (Variable)loss();
            value.Backward();
            last = value.Data.At();
            for (var i = 0; i < free.Length; i++)
            {
                rule.Apply(free[i].Data.Writable<double>(), free[i].Gradient!.Values<double>(), states[i],
                    new RuleStep(step, 0.05 / (1 + (step / 200.0))));
                free[i].ClearGradient();
            }
        }

        return last;
    }

    [Theory]
    [InlineData("CP", "ir,jr,kr->ijk")]
    [InlineData("Tucker", "abc,ia,jb,kc->ijk")]
    public void ADecomposition_IsFoundByItsGradient(string name, string spec)
    {
        int[][] shapes = name == "CP" ? [[4, 2], [5, 2], [3, 2]] : [[2, 2, 2], [4, 2], [5, 2], [3, 2]];
        Variable[] truth = [.. shapes.Select((s, i) => Of(i + 1, s))];
        var target = new Variable(((Variable)Functions.Einsum(spec, truth)).Data);
        Variable[] free = [.. shapes.Select((s, i) => Of(i + 11, s))];
        Value Loss() => (Functions.Einsum(spec, free) - target).Square().Sum();
        var before = ((Variable)Loss()).Data.At();
        var after = Fit(Loss, free, 800);
        Assert.True(after < 0.01 * before, $"{name}: {before:g3} to {after:g3}");
    }

    [Fact]
    public void ProductsThroughEachOther_AreTheProductOfTheWhole()
    {
        static Variable First(Variable x) => (Variable)(x * x).Tanh();
        static Variable Second(Variable x) => (Variable)Functions.Einsum("i,j->ij", x, x.Exp());
        var x = TestTensors.Normal(2, 3);
        var u = TestTensors.Normal(4, 3, 3);
        var (middle, _) = Derivatives.Vjp(First, x, Tensor.Ones(DType.Float64, 3));
        var (y, back) = Derivatives.Vjp(Second, middle, u);
        var chained = Derivatives.Vjp(First, x, back).Gradient.ToArray<double>();
        var whole = Derivatives.Vjp(v => Second(First(v)), x, u);
        Assert.Equal(whole.Value.ToArray<double>(), y.ToArray<double>());
        Assert.All(chained.Zip(whole.Gradient.ToArray<double>()), p => Assert.Equal(p.Second, p.First, 12));
    }

    [Fact]
    public void AGraphThatBranchesAndJoins_HasTheGradientOfItsDifferences()
    {
        static Value Loss(Value x)
        {
            var (left, right) = (x.Tanh(), x.Square() * 0.5);
            var crossed = Functions.Einsum("i,j->ij", left, right);
            var attended = crossed.Softmax().MatMul(left + right);
            return (attended * right).Sum() + crossed.Max([1]).Sum() + left.LogSumExp();
        }

        var x = TestTensors.Normal(3, 4);
        var slopes = Derivatives.Gradient(v => (Variable)Loss(v), x).ToArray<double>();
        for (var i = 0; i < slopes.Length; i++)
        {
            double At(double by)
            {
                var moved = x.Copy();
                moved.Set(moved.At(i) + by, i);
                return ((Variable)Loss(new Variable(moved))).Data.At();
            }

            Assert.Equal((At(1e-5) - At(-1e-5)) / 2e-5, slopes[i], 7);
        }
    }
}
