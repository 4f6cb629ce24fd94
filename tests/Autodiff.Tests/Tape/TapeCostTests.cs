using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>AD-01, AD-06, AD-15: what recording and backward cost, in bytes that are reserved, and in passes.</summary>
public sealed class TapeCostTests
{
    private const int Depth = 200;

    private static Variable Chain(Variable x, int depth)
    {
        Value y = x;
        for (var i = 0; i < depth; i++) y = y.Tanh();
        return (Variable)y;
    }

    private static long Bytes(Action run)
    {
        // Once beforehand, so that what is made on first use is not counted.
        run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public void NothingIsRecorded_WhereNothingIsAsked()
    {
        var (free, fixedValue) = (new Variable(Tensor.Ones(DType.Float64, 4), true),
            new Variable(Tensor.Ones(DType.Float64, 4)));
        var plain = Bytes(() => Chain(fixedValue, Depth));
        var off = Bytes(() =>
        {
            using var scope = GradientMode.Off();
            Chain(free, Depth);
        });
        // One scope object; not a byte for any of the operators.
        Assert.InRange(off - plain, 0, 64);
        Assert.True(Bytes(() => Chain(free, Depth)) > plain + (Depth * 100));
    }

    [Fact]
    public void AnEntry_BorrowsItsOperands()
    {
        var large = new Variable(Tensor.Ones(DType.Float64, 50_000), true);
        var recorded = Bytes(() => Chain(large, 1));
        Assert.InRange(recorded, 400_000, 402_000);
    }

    [Fact]
    public void RecordingAndBackward_CostAFewHundredBytesANode_WhateverTheDepth()
    {
        var x = new Variable(Tensor.Ones(DType.Float64, 4), true);
        var seed = Tensor.Ones(DType.Float64, 4);
        var plain = new Variable(x.Data);
        double Record(int depth) => (Bytes(() => Chain(x, depth)) - Bytes(() => Chain(plain, depth))) / (double)depth;
        double Backward(int depth) =>
            (Bytes(() => Chain(x, depth).Backward(seed)) - Bytes(() => Chain(x, depth))) / (double)depth;
        Assert.InRange(Record(Depth), 0, 500);
        Assert.InRange(Backward(Depth), 0, 3_000);
        Assert.InRange(Backward(8 * Depth), 0, 1.2 * Backward(Depth));
    }

    [Fact]
    public void ARuleIsAskedOnce_HoweverOftenItsResultIsUsed()
    {
        var calls = 0;
        var counted = CustomOperator.Define("counted", t => t[0], x => x[0].Copy(), g =>
        {
            calls++;
            return [g.Gradient];
        });
        var x = new Variable(Tensor.Ones(DType.Float64, 1), true);
        var y = counted.Apply(x);
        // A ladder with 2^30 paths from top to bottom.
        for (var i = 0; i < 30; i++) y = y + y;
        ((Variable)y).Backward();
        Assert.Equal((1, Math.Pow(2, 30)), (calls, x.Gradient!.At(0)));
    }

    [Fact]
    public void EveryResultOfAnOperator_CarriesItsOwnGradient()
    {
        var x = new Variable(Tensor.Of([1.0, 2, 3, 4], 2, 2), true);
        var (q, r) = x.Qr();
        ((Variable)(q.MatMul(r).Sum() + (r * 0).Sum())).Backward();
        // q r is x again, whatever the two are.
        Assert.All(x.Gradient!.ToArray<double>(), g => Assert.Equal(1, g, 10));
    }
}
