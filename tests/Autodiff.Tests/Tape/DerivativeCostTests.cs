using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// HO-04, TEST-09: a product with the Hessian costs a few evaluations of the function, however many parameters there
/// are: counted operations, not times. The function has n² parameters, and each depends on n others.
/// </summary>
public sealed class DerivativeCostTests
{
    private static readonly int[] Sizes = [4, 8, 16, 32, 64];

    private static Value Loss(Value w, Value x) => w.MatMul(x).Tanh().Square().Sum();

    private static long Flops(int n, Func<Func<Value, Value>, Value, Value, Value> what)
    {
        var builder = new GraphBuilder();
        var (w, v, x) = (builder.Input("w", DType.Float64, n, n), builder.Input("v", DType.Float64, n, n),
            builder.Input("x", DType.Float64, n, 1));
        builder.Output("y", what(at => Loss(at, x), w, v));
        return GraphStatistics.Of(PassPipeline.Simplify(builder.Build()), 1).Cost.Flops;
    }

    private static long Product(int n) => Flops(n, (f, w, v) => Transform.Jvp(Transform.Grad(f))(w, v));

    private static long ProductBackwards(int n) =>
        Flops(n, (f, w, v) => Transform.Grad(at => (Transform.Grad(f)(at) * v).Sum())(w));

    [Fact]
    public void AProductWithTheHessian_CostsAFewEvaluations_WhateverTheSize()
    {
        foreach (var n in Sizes)
        {
            var once = Flops(n, (f, w, _) => f(w));
            Assert.True(once >= 2L * n * n, $"{n}: {once}");
            Assert.InRange((double)Flops(n, (f, w, _) => Transform.Grad(f)(w)) / once, 1, 5);
            Assert.InRange((double)Product(n) / once, 1, 10);
            Assert.InRange((double)ProductBackwards(n) / once, 1, 10);
        }
    }

    [Fact]
    public void ItsCostGrowsWithTheNumberOfParameters_NotWithTheSquare()
    {
        foreach (var (small, large) in Sizes.Zip(Sizes.Skip(1)))
        {
            // Four times the parameters; what does not grow so fast makes it a little less.
            Assert.InRange((double)Product(large) / Product(small), 2, 4.01);
            Assert.InRange((double)ProductBackwards(large) / ProductBackwards(small), 2, 4.01);
        }
    }

    [Fact]
    public void EagerProducts_ApplyTheSameOperators_WhateverTheSize()
    {
        (long Calls, long Elements) Work(int n)
        {
            var x = new Variable(Tensor.Full(DType.Float64, 0.3, new Shape(n, 1)));
            var (w, v) = (Tensor.Full(DType.Float64, 0.1, new Shape(n, n)),
                Tensor.Full(DType.Float64, 0.7, new Shape(n, n)));
            var profile = new OpProfile(TimeProvider.System);
            using (profile.Start()) Derivatives.HessianVector(at => (Variable)Loss(at, x), w, v);
            return (profile.Timings.Sum(t => t.Calls), profile.Timings.Sum(t => t.Elements));
        }

        var works = Sizes.Select(Work).ToArray();
        Assert.Single(works.Select(w => w.Calls).Distinct());
        foreach (var (small, large) in works.Zip(works.Skip(1)))
            Assert.InRange((double)large.Elements / small.Elements, 1, 4.01);
    }
}
