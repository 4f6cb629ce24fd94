using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tensors;

/// <summary>TEN-06: views made step by step, and written through.</summary>
public sealed class ViewBuilderTests
{
    private static Tensor Counting(params int[] dims)
    {
        var shape = new Shape(dims);
        return Tensor.Of<double>([.. Enumerable.Range(0, (int)shape.Count).Select(i => (double)i)], shape);
    }

    [Fact]
    public void Steps_AreTheSlicesThatTheySay()
    {
        var x = Counting(3, 4, 5);
        Assert.Equal(x.Slice(1.., SliceSpec.All, 2).ToArray<double>(),
            x.View().Take(-1, 2).Take(0, 1..).Build().ToArray<double>());
        Assert.Equal(x.Slice(0, SliceSpec.Reversed, SliceSpec.Range(0, ^0, 2)).ToArray<double>(),
            x.View().Every(2, axis: 2).Reversed(1).Take(0, 0).Build().ToArray<double>());
        Assert.Equal(x.Transpose(2, 0, 1).ToArray<double>(), x.View().Transposed(2, 0, 1).Build().ToArray<double>());
        var diagonal = x.View().Diagonal(0, -1).Build();
        Assert.Equal(new Shape(4, 3), diagonal.Shape);
        Assert.Equal([x.At(0, 1, 0), x.At(1, 1, 1), x.At(2, 1, 2)], diagonal.Slice(1).ToArray<double>());
        Assert.Equal([7, 7, 7], x.View().Take(2, 2).Take(1, 1).Take(0, 0..1).Repeated(3).Build().ToArray<double>());
        Assert.Same(x, x.View().Build());
    }

    [Fact]
    public void WhatIsWrittenThroughAView_IsInTheTensor()
    {
        var x = Counting(3, 3);
        x.View().Diagonal(0, 1).Build().Fill(-1);
        Assert.Equal([-1, 1, 2, 3, -1, 5, 6, 7, -1], x.ToArray<double>());
        x.View().Take(0, 0).Reversed(0).Build().CopyFrom(Tensor.Of([10.0, 20, 30], 3));
        Assert.Equal([30, 20, 10], x.Slice(0).ToArray<double>());
        x.View().Transposed().Take(0, 2).Build().Set(9, 1);
        Assert.Equal(9, x.At(1, 2));
        new InPlaceExecutor().Multiply(x.View().Every(2, axis: 0).Take(1, 1).Build(), 2);
        Assert.Equal([40, 14], x.View().Every(2, axis: 0).Take(1, 1).Build().ToArray<double>());
        // The tape sees it as a write into the tensor.
        var v = new Variable(x, requiresGradient: true);
        var y = (Variable)v.Square().Sum();
        x.View().Diagonal(0, 1).Build().Fill(0);
        Assert.Throws<GradientException>(() => y.Backward());
    }

    [Fact]
    public void WrongSteps_NameTheDimension()
    {
        var x = Counting(2, 3);
        Assert.Contains("no dimension 2", Assert.Throws<ShapeException>(() => x.View().Take(2, 0)).Message,
            StringComparison.Ordinal);
        // One index takes its dimension away.
        Assert.Throws<ShapeException>(() => x.View().Take(0, 1).Take(1, 0));
        Assert.Throws<ShapeException>(() => x.View().Take(1, 1..5));
        Assert.Throws<ShapeException>(() => x.View().Diagonal(1, -1));
        Assert.Throws<ShapeException>(() => x.View().Take(0, 0..1).Repeated(4, 3).Build().Fill(1));
    }
}
