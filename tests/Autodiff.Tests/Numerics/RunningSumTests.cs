using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Numerics;

/// <summary>OPS-04: running sums and products in float32 do not drift, however long they are.</summary>
public sealed class RunningSumTests
{
    private const int Count = 1_000_000;

    [Fact]
    public void TheLastOfAMillion_IsRoundedOnce()
    {
        var x = new Variable(Tensor.Full(DType.Float32, 1_000.1f, new Shape(Count)), requiresGradient: true);
        var sums = (Variable)x.CumSum(0);
        Assert.Equal((float)(1_000.1f * (double)Count), sums.Data.ToArray<float>()[^1]);
        sums.Backward(Tensor.Full(DType.Float32, 0.1f, new Shape(Count)));
        Assert.Equal((float)(0.1f * (double)Count), x.Gradient!.ToArray<float>()[0]);
    }

    [Fact]
    public void AProductThatLeavesFloat32OnItsWay_ComesBack()
    {
        var x = new Variable(Tensor.Of([1e30f, 1e30f, 1e-30f, 1e-30f], 4));
        Assert.Equal([1e30f, float.PositiveInfinity, 1e30f, 1f], ((Variable)x.CumProd(0)).Data.ToArray<float>());
    }
}
