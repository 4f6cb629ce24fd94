using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tensors;

/// <summary>TEN-01, TEN-03, TEN-06, GIR-03.</summary>
public sealed class TensorTests
{
    private static Tensor Counting(params int[] dims)
    {
        var shape = new Shape(dims);
        return Tensor.Of<double>([.. Enumerable.Range(0, (int)shape.Count).Select(i => (double)i)], shape);
    }

    [Fact]
    public void ValuesThatDoNotFillTheShape_AreRefused()
    {
        var refused = Assert.Throws<ShapeException>(() => Tensor.Of([1f, 2, 3], 2, 2));
        Assert.Contains("3 values", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    public void ZerosAndOnes_InEveryType(DType dtype)
    {
        Assert.Equal(0, Tensor.Zeros(dtype, 2, 3).At(1, 2));
        Assert.Equal(1, Tensor.Ones(dtype, 2, 3).At(1, 2));
        Assert.Equal(0, Tensor.Ones(dtype, 0, 3).Count);
    }

    [Fact]
    public void Slices_AreViewsOfTheSameMemory()
    {
        var x = Counting(3, 4);
        var view = x.Slice(1.., SliceSpec.Range(0, 4, 2));
        Assert.Equal([4, 6, 8, 10], view.ToArray<double>());
        Assert.False(view.IsContiguous);
        view.Set(-1, 1, 1);
        Assert.Equal(-1, x.At(2, 2));
        x.Slice(0).Fill(7);
        Assert.Equal([7, 7, 7, 7], x.Slice(0).ToArray<double>());
    }

    [Fact]
    public void SlicesFromTheEnd_SingleIndices_AndReversal()
    {
        var x = Counting(2, 3);
        Assert.Equal([2, 5], x.Slice(SliceSpec.All, -1).ToArray<double>());
        Assert.Equal([1, 2, 4, 5], x.Slice(SliceSpec.All, ^2..).ToArray<double>());
        Assert.Equal([2, 1, 0], x.Slice(0, SliceSpec.Reversed).ToArray<double>());
        Assert.Equal(new Shape(2, 0), x.Slice(SliceSpec.All, 1..1).Shape);
    }

    [Fact]
    public void SlicesOutside_AreRefused()
    {
        var x = Counting(2, 3);
        Assert.Throws<ShapeException>(() => x.Slice(2));
        Assert.Throws<ShapeException>(() => x.Slice(SliceSpec.All, 1..5));
        Assert.Throws<ShapeException>(() => x.Slice(0, 0, 0));
        Assert.Throws<ShapeException>(() => SliceSpec.Range(0, 2, 0));
    }

    [Fact]
    public void TransposeAndBroadcast_CopyNothing()
    {
        var x = Counting(2, 3);
        var turned = x.Transpose();
        Assert.Equal([0, 3, 1, 4, 2, 5], turned.ToArray<double>());
        var repeated = x.Slice(SliceSpec.All, 1..2).BroadcastTo(new Shape(2, 2, 2));
        Assert.Equal([1, 1, 4, 4, 1, 1, 4, 4], repeated.ToArray<double>());
        x.Set(9, 1, 1);
        Assert.Equal(9, turned.At(1, 1));
        Assert.Equal(9, repeated.At(1, 1, 0));
        Assert.Throws<ShapeException>(() => x.Transpose(0, 0));
        Assert.Throws<ShapeException>(() => x.BroadcastTo(new Shape(2, 4)));
    }

    [Fact]
    public void Reshape_SharesMemoryWhenItCan()
    {
        var x = Counting(2, 3);
        x.Reshape(new Shape(6)).Set(5, 0);
        Assert.Equal(5, x.At(0, 0));
        Assert.Equal([5, 3, 1, 4, 2, 5], x.Transpose().Reshape(new Shape(6)).ToArray<double>());
        Assert.Throws<ShapeException>(() => x.Reshape(new Shape(5)));
    }

    [Fact]
    public void WritesThroughOverlappingViews_ReadFirst()
    {
        var x = Counting(4);
        x.Slice(1..).CopyFrom(x.Slice(..3));
        Assert.Equal([0, 0, 1, 2], x.ToArray<double>());
        var y = Counting(3);
        y.CopyFrom(y.Slice(SliceSpec.Reversed));
        Assert.Equal([2, 1, 0], y.ToArray<double>());
    }

    [Fact]
    public void Casts_KeepValues()
    {
        Assert.Equal([0f, 1, 2], Counting(3).Cast(DType.Float32).ToArray<float>());
        Assert.Equal([0, 1, 2], Counting(3).Cast(DType.Int32).ToArray<int>());
        Assert.Throws<ShapeException>(() => Counting(3).Values<float>());
    }

    [Fact]
    public void TypesWithABatch_KnowTheirShapes()
    {
        var type = new TensorType(DType.Float32, Dim.Batch, 3);
        Assert.Equal(new Shape(5, 3), type.At(5));
        Assert.Equal("float32[N, 3]", type.ToString());
        Assert.Equal(3, type.Coefficient);
        Assert.Throws<ShapeException>(() => new TensorType(DType.Float32, Dim.Batch, Dim.Batch));
    }

    [Fact]
    public void AViewWithoutElements_MayStartWhereTheStorageEnds()
    {
        // ERR-07, TEN-06: rows 1 of none, beside a column that is there.
        var view = Tensor.Zeros(DType.Float64, 2, 1).Slice(SliceSpec.All, SliceSpec.Range(1, 1));
        var turned = Tensor.Zeros(DType.Float64, 0, 3).Transpose().Slice(SliceSpec.Range(2, 3));
        var last = Tensor.Zeros(DType.Float64, 3, 0).Slice(SliceSpec.At(2));
        foreach (var empty in new[] { view, turned, last })
        {
            Assert.Empty(empty.ToArray<double>());
            Assert.Empty(empty.Copy().ToArray<double>());
            var free = new Variable(empty, requiresGradient: true);
            ((Variable)(free.Exp() * free).Sum()).Backward();
            Assert.Equal(empty.Shape, free.Gradient!.Shape);
        }
    }
}
