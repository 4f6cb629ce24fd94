using System.Reflection;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Autodiff.Typed;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tensors;

/// <summary>
/// ERR-01, TEN-01: whatever makes a tensor or a shape refuses sizes that are negative, too many, too large or do not
/// fit their numbers with an error of this library, in one line; never with one of the runtime.
/// </summary>
public sealed class FactoryErrorTests
{
    private const int Huge = int.MaxValue;
    private static readonly int[] Many = [.. Enumerable.Repeat(1, 40)];

    private static readonly (string Name, Action Call)[] Wrong =
    [
        ("Shape", () => _ = new Shape(-1)),
        ("Shape", () => _ = new Shape(Many)),
        ("Shape", () => _ = new Shape(Huge, Huge, Huge)),
        ("Tensor.Zeros", () => Tensor.Zeros(DType.Float32, -1)),
        ("Tensor.Zeros", () => Tensor.Zeros(DType.Float32, 3, -2, 4)),
        ("Tensor.Zeros", () => Tensor.Zeros(DType.Float64, Huge, Huge, Huge)),
        ("Tensor.Zeros", () => Tensor.Zeros(DType.Float64, Huge, Huge)),
        ("Tensor.Zeros", () => Tensor.Zeros(DType.Float64, Huge, Huge, 2)),
        ("Tensor.Zeros", () => Tensor.Zeros((DType)99, 2)),
        ("Tensor.Ones", () => Tensor.Ones(DType.Float32, -1)),
        ("Tensor.Ones", () => Tensor.Ones(DType.Float32, Many)),
        ("Tensor.Full", () => Tensor.Full(DType.Float32, 1, new Shape(Huge, 64))),
        ("Tensor.Empty", () => Tensor.Empty(DType.Float32, new Shape(Huge, Huge))),
        ("Tensor.Of", () => Tensor.Of([1f, 2], 3)),
        ("Tensor.Of", () => Tensor.Of([1f, 2], -2)),
        ("Tensor.Of", () => Tensor.Of<float>([1f, 2], new Shape(Huge, Huge))),
        ("Tensor.Of", () => Tensor.Of<char>(['a'], 1)),
        ("Tensor.Reshape", () => Tensor.Zeros(DType.Float32, 2).Reshape(new Shape(Huge, Huge))),
        ("Tensor.BroadcastTo", () => Tensor.Zeros(DType.Float32, 2).BroadcastTo(new Shape(3))),
        ("Tensor.Slice", () => Tensor.Zeros(DType.Float32, 2).Slice(5)),
        ("Tensor.Slice", () => Tensor.Zeros(DType.Float32, 2).Slice(SliceSpec.Range(^9, 9))),
        ("Tensor.Transpose", () => Tensor.Zeros(DType.Float32, 2).Transpose(-1)),
        ("Tensor.Cast", () => Tensor.Zeros(DType.Float32, 2).Cast((DType)99)),
        ("Matrix.Of", () => Matrix<float>.Of(-1, 2, 1f, 2f)),
        ("Matrix.Of", () => Matrix<float>.Of(2, 2, 1f, 2f)),
        ("Matrix.Of", () => Matrix<float>.Of(Huge, Huge, 1f)),
        ("Batch", () => _ = new Batch<Rank1, float>([])),
        ("RankedBuilder", () => new RankedBuilder<Rank1, float>().WithShape(-1).Build()),
        ("RankedBuilder", () => new RankedBuilder<Rank3, float>().WithShape(Huge, Huge, Huge).Build()),
        ("RankedBuilder", () => new RankedBuilder<Rank1, float>().WithShape(2).WithValues(1f).Build()),
        ("TensorType", () => _ = new TensorType(DType.Float32, -1)),
        ("TensorType", () => _ = new TensorType(DType.Float32, [.. Many.Select(d => new Dim(d))])),
        ("GraphBuilder.Input", () => new GraphBuilder().Input("x", DType.Float32, -1)),
        ("GraphBuilder.Parameter", () => new GraphBuilder().Parameter("x", ParameterInit.Zeros, -1)),
        ("GraphBuilder.Parameter", () => new GraphBuilder().Parameter("x", ParameterInit.Zeros, Huge, Huge, Huge)),
        ("Functions.Reshape", () => X().Reshape(-3)),
        ("Functions.Reshape", () => X().Reshape(Huge, Huge, Huge)),
        ("Functions.BroadcastTo", () => X().BroadcastTo(-1, 2)),
        ("Functions.BroadcastTo", () => X().BroadcastTo(Huge, Huge, Huge, 2)),
        ("Functions.Tile", () => X().Tile(-1)),
        ("Functions.Tile", () => X().Tile(Huge)),
        ("Functions.Pad", () => X().Pad(0, -1, 0)),
        ("Functions.Slice", () => X().Slice(0, 0, -1)),
        ("Functions.OneHot", () => new Variable(Tensor.Of([1, 2], 2)).OneHot(-1, DType.Float32)),
        ("Functions.TopK", () => X().TopK(0, -1)),
    ];

    private static Value X() => new Variable(Tensor.Of([1f, 2], 2));

    public static TheoryData<int> Calls() => [.. Enumerable.Range(0, Wrong.Length)];

    [Theory]
    [MemberData(nameof(Calls))]
    public void WrongSizes_AreOneClearLine(int call)
    {
        var refused = Record.Exception(Wrong[call].Call);
        Assert.True(refused is ConvoyException, $"{Wrong[call].Name}: {refused?.GetType().Name ?? "no error"}");
        Assert.DoesNotContain('\n', refused!.Message);
        Assert.True(refused!.Message.Length is > 10 and < 300, refused.Message);
    }

    [Fact]
    public void EveryPublicFactory_IsTried()
    {
        var made = typeof(Tensor).GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Where(m => m.ReturnType == typeof(Tensor)).Select(m => $"Tensor.{m.Name}").Distinct();
        foreach (var name in made) Assert.Contains(name, Wrong.Select(w => w.Name));
    }

    [Fact]
    public void ADimensionOfNothing_MakesAnySizeBesideItLegal()
    {
        Assert.Equal(0, new Shape(Huge, Huge, Huge, 0).Count);
        Assert.Equal(0, Tensor.Zeros(DType.Float32, 0, Huge, Huge).Count);
    }
}
