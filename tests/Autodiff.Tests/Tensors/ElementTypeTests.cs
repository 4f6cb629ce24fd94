using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tensors;

/// <summary>TEN-03, TEN-04: element types, their ids in other formats, and what takes them.</summary>
public sealed class ElementTypeTests
{
    public static TheoryData<DType> Types() => [.. ElementTypes.All.Select(t => t.Type)];

    [Fact]
    public void TheTable_IsFixed_AndWhole()
    {
        // The ids of the formats: ONNX TensorProto.DataType, Arrow C data interface, DLPack, safetensors.
        Assert.Equal(
            [
                "1 float32 4 F32 1 f 2", "2 float64 8 F64 11 g 2", "3 int32 4 I32 6 i 0", "4 int64 8 I64 7 l 0",
                "5 uint8 1 U8 2 C 1", "6 uint32 4 U32 12 I 1", "7 uint64 8 U64 13 L 1", "8 bool 1 BOOL 9 b 6",
            ],
            ElementTypes.All.Select(t =>
                $"{(int)t.Type} {t.Name} {t.Bytes} {t.Safetensors} {t.Onnx} {t.Arrow} {t.DlpackCode}"));
        Assert.Equal(Enum.GetValues<DType>(), ElementTypes.All.Select(t => t.Type));
        Assert.All(ElementTypes.All, t => Assert.Equal(t.Bytes, t.Type.Size()));
        Assert.All(ElementTypes.All, t => Assert.Equal(t.Safetensors, SafetensorsHeader.NameOf(t.Type)));
        Assert.Equal(DType.UInt64, ElementTypes.Find(t => t.Onnx == 13)!.Type);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void EveryType_IsFilledReadWrittenViewedAndCopied(DType type)
    {
        var x = Tensor.Zeros(type, 2, 3);
        x.Set(1, 1, 2);
        Assert.Equal(1, x.At(1, 2));
        Assert.Equal(1, x.Transpose().Copy().At(2, 1));
        Assert.Equal([0.0, 1], x.Slice(SliceSpec.All, -1).Cast(DType.Float64).ToArray<double>());
        Assert.Equal([1.0, 1, 1], Tensor.Ones(type, 3).Cast(DType.Float64).ToArray<double>());
        Assert.Equal(1, x.Slice(1).BroadcastTo(new Shape(4, 3)).Copy().At(3, 2));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void ShapesOperators_MoveElementsOfEveryType(DType type)
    {
        var x = Tensor.Zeros(type, 2, 3);
        x.Set(1, 0, 1);
        var v = new Variable(x);
        Assert.Equal(1, ((Variable)v.Transpose()).Data.At(1, 0));
        Assert.Equal(1, ((Variable)v.Slice(1, 1, 2)).Data.At(0, 0));
        Assert.Equal(1, ((Variable)v.Reshape(3, 2)).Data.At(0, 1));
        Assert.Equal(1, ((Variable)v.BroadcastTo([2, 2, 3])).Data.At(1, 0, 1));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void CastsBetweenAllTypes_KeepSmallNumbers(DType from)
    {
        var x = Tensor.Zeros(from, 2);
        x.Set(1, 1);
        foreach (var to in ElementTypes.All)
            Assert.Equal([0.0, 1], x.Cast(to.Type).Cast(DType.Float64).ToArray<double>());
    }

    [Fact]
    public void CastsBetweenIntegers_AreExact_AndFractionsAreCut()
    {
        ulong[] large = [ulong.MaxValue - 1, (1UL << 53) + 1];
        Assert.Equal([(long)((1UL << 53) + 1)], Tensor.Of(large[1..], 1).Cast(DType.Int64).ToArray<long>());
        Assert.Equal(large, Tensor.Of(large, 2).ToArray<ulong>());
        Assert.Equal([2, -2], Tensor.Of([2.9, -2.9], 2).Cast(DType.Int32).ToArray<int>());
        Assert.Equal([true, false, true], Tensor.Of([-0.5f, 0, 3], 3).Cast(DType.Bool).ToArray<bool>());
        Assert.Equal([1f, 0], Tensor.Of([true, false], 2).Cast(DType.Float32).ToArray<float>());
    }

    [Theory]
    [InlineData(-1, DType.UInt32)]
    [InlineData(300, DType.UInt8)]
    [InlineData(5e9, DType.Int32)]
    [InlineData(double.NaN, DType.Int64)]
    public void NumbersThatDoNotFit_AreRefusedByName(double value, DType type)
    {
        var refused = Assert.Throws<NumericalException>(() => Tensor.Of([0, value], 2).Cast(type));
        Assert.Equal(ErrorCode.Overflow, refused.ErrorCode);
        Assert.StartsWith("element 1: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(ElementTypes.Of(type).Name, refused.Message, StringComparison.Ordinal);
        Assert.Throws<NumericalException>(() => Tensor.Zeros(type, 1).Set(value, 0));
    }

    [Theory]
    [InlineData(DType.UInt32)]
    [InlineData(DType.Int64)]
    [InlineData(DType.Bool)]
    public void Arithmetic_SaysWhatItTakes(DType type)
    {
        Value x = new Variable(Tensor.Ones(type, 2));
        var refused = Assert.Throws<ShapeException>(() => x + x);
        Assert.Equal(ErrorCode.ElementType, refused.ErrorCode);
        Assert.Contains("add: takes float32 or float64 numbers", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => new Variable(((Variable)x).Data, requiresGradient: true));
        var carried = Assert.Throws<ShapeException>(() => new GraphBuilder().Input("x", type, 2));
        Assert.Contains(ElementTypes.Of(type).Name, carried.Message, StringComparison.Ordinal);
    }
}
