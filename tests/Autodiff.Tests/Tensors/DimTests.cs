using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tensors;

/// <summary>GIR-03: static, symbolic and dynamic dimensions, their queries, sums and products.</summary>
public sealed class DimTests
{
    private static readonly Dim T = Dim.Symbol("T");
    private static readonly Dim S = Dim.Symbol("S");

    [Fact]
    public void EqualSizes_AreEqualHoweverTheyWereMade()
    {
        Assert.Equal(T * S + 2 * T, T * (S + 2));
        Assert.Equal(Dim.Batch, Dim.Symbol("N"));
        Assert.Equal(new Dim(6, true), 2 * Dim.Batch * 3);
        Assert.Equal(7, (Dim)3 + 4);
        Assert.Equal(0 * T, 0);
        Assert.Equal(T + T, 2 * T);
        Assert.NotEqual(T, S);
        Assert.NotEqual(T, 2 * T);
        Assert.Equal("2N*T+T+3", $"{(Dim.Batch * T * 2) + 3 + T}");
        Assert.Equal(((Dim.Batch * T * 2) + 3 + T).GetHashCode(), (T + 3 + (T * 2 * Dim.Batch)).GetHashCode());
    }

    [Fact]
    public void Queries_SayWhatIsKnown()
    {
        (Dim Dim, bool Static, bool Symbolic, bool Dynamic, bool PerSample)[] cases =
        [
            (4, true, false, false, false), (Dim.Batch, false, true, false, true), (T, false, true, false, false),
            (Dim.Dynamic, false, true, true, false), (Dim.Batch * T, false, true, false, true),
            (Dim.Dynamic + 1, false, true, true, false),
        ];
        foreach (var (dim, isStatic, isSymbolic, isDynamic, perSample) in cases)
            Assert.Equal((isStatic, isSymbolic, isDynamic, perSample),
                (dim.IsStatic, dim.IsSymbolic, dim.IsDynamic, dim.PerSample));

        var type = new TensorType(DType.Float32, Dim.Batch, T, Dim.Dynamic, 3);
        Assert.Equal((4, false, true, 0), (type.Rank, type.IsStatic, type.IsDynamic, type.BatchAxis));
        Assert.Null(type.AsStatic());
        Assert.Equal(new Shape(2, 3), new TensorType(DType.Float32, 2, 3).AsStatic());
        Assert.Null(new TensorType(DType.Float32, 2, T).AsStatic());
        Assert.Equal("[N, T, ?, 3]", type.Text);
    }

    [Fact]
    public void ASizeWithoutANumber_IsAnError_NotANumber()
    {
        var type = new TensorType(DType.Float32, 2, T);
        Assert.Throws<ShapeException>(() => T.Size);
        Assert.Throws<ShapeException>(() => T.At(3));
        Assert.Throws<ShapeException>(() => type.At(3));
        Assert.Throws<ShapeException>(() => type.CountAt(3));
        Assert.Throws<ShapeException>(() => type.Coefficient);
        Assert.Throws<ShapeException>(() => new TensorType(DType.Float32, Dim.Batch, Dim.Batch * T));
    }

    [Fact]
    public void Unify_TakesTheOneThatIsKnown()
    {
        TensorType Of(params Dim[] dims) => new(DType.Float32, dims);
        Assert.Equal(Of(T, 3), TensorType.Unify(Of(Dim.Dynamic, 3), Of(T, Dim.Dynamic)));
        Assert.Equal(Of(T, 3), TensorType.Unify(Of(T, 3), Of(T, 3)));
        Assert.Null(TensorType.Unify(Of(T), Of(S)));
        Assert.Null(TensorType.Unify(Of(T), Of(T, 1)));
        Assert.Null(TensorType.Unify(Of(3), new TensorType(DType.Float64, 3)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("t1")]
    [InlineData("two words")]
    [InlineData("?")]
    [InlineData("abcdefghijklmnopqrstuvwxyzabcdefg")]
    public void ANameHasLetters(string name) => Assert.Throws<ShapeException>(() => Dim.Symbol(name));

    [Theory]
    [InlineData("N*T", true)]
    [InlineData("2N*T+T+3", true)]
    [InlineData("?12+T", true)]
    [InlineData("?+T", false)]
    [InlineData("T*N", false)]
    [InlineData("3+T", false)]
    [InlineData("1T", false)]
    [InlineData("0T", false)]
    [InlineData("T+T", false)]
    [InlineData("T+", false)]
    [InlineData("T**N", false)]
    [InlineData("99999999999999999999T", false)]
    public void Texts_AreReadInOneForm(string text, bool legal) =>
        Assert.Equal(legal ? text : null, DimFormula.Parse(text)?.ToString());

    [Fact]
    public void WhatIsTooLarge_IsAShapeError()
    {
        Assert.Throws<ShapeException>(() => (Dim)int.MaxValue * 2);
        Assert.Throws<ShapeException>(() => (Dim)int.MaxValue + 1);
        var power = T;
        Assert.Throws<ShapeException>(() =>
        {
            for (var i = 0; i < 20; i++) power *= T;
        });
        Assert.Throws<ShapeException>(() =>
        {
            for (var i = 0; i < 20; i++) power += Dim.Symbol(new string('A', i + 1));
        });
    }

    [Fact]
    public void Contracts_KnowSumsAndProducts()
    {
        var sizes = new Dictionary<string, int>();
        var contract = ShapeContract.Parse("N, T, N*T, T+1");
        Assert.Null(contract.Check("x", new Shape(2, 3, 6, 4), sizes));
        var fault = contract.Check("y", new Shape(2, 3, 5, 4), sizes);
        Assert.Contains("dimension 2 is 5, not N*T, which is 6", fault!.Text, StringComparison.Ordinal);
    }
}
