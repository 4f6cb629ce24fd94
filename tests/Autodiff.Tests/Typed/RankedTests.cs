using Convoy.Autodiff.Tensors;
using Convoy.Autodiff.Typed;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Typed;

/// <summary>TEN-05: ranks in types, shape contracts, batches, a builder that collects what is wrong.</summary>
public sealed class RankedTests
{
    private static readonly Matrix<double> A = Matrix<double>.Of(2, 3, 1, 2, 3, 4, 5, 6);

    [Fact]
    public void Products_HaveTheRankThatTheyShould()
    {
        Matrix<double> square = A.Times(A.Transposed());
        Assert.Equal([14, 32, 32, 77], square.Tensor.ToArray<double>());
        Vector<double> y = A.Times(Vector<double>.Of(1, 0, -1));
        Assert.Equal([-2, -2], y.Tensor.ToArray<double>());
        Scalar<double> dot = A.Row(0).Dot(A.Row(1));
        Assert.Equal(32, dot.Value);
        Assert.Equal((3, 5.0), (A.Row(1).Length, A.Column(1)[1]));
        Assert.Throws<ShapeException>(() => A.Times(A));
        Assert.Throws<ShapeException>(() => A.Row(0).Dot(A.Column(0)));
    }

    [Fact]
    public void Views_ShareMemory()
    {
        var x = new Tensor4<float>(Tensor.Zeros(DType.Float32, 2, 3, 4, 5));
        Tensor3<float> image = x[1];
        Matrix<float> plane = image[2];
        plane.Tensor.Set(7, 3, 4);
        Assert.Equal(7, x.Tensor.At(1, 2, 3, 4));
    }

    [Fact]
    public void ATensorOfAnotherRankOrType_IsRefused()
    {
        Assert.Throws<ShapeException>(() => new Vector<double>(A.Tensor));
        var refused = Assert.Throws<ShapeException>(() => new Matrix<float>(A.Tensor));
        Assert.Equal(ErrorCode.ElementType, refused.ErrorCode);
        Ranked<AnyRank, double> any = A.AsDynamic();
        Assert.Equal(2, any.As<Rank2>().Shape.Rank);
        Assert.Throws<ShapeException>(() => any.As<Rank3>());
        Assert.Equal(6, new Ranked<Rank6, int>(Tensor.Zeros(DType.Int32, 1, 1, 1, 1, 1, 1)).Shape.Rank);
    }

    [Theory]
    [InlineData("2, 3", true)]
    [InlineData("N, 3", true)]
    [InlineData("..., 3", true)]
    [InlineData("N, N", false)]
    [InlineData("2N, 3N", true)]
    [InlineData("2N, 2M", false)]
    [InlineData("2, 3, 1", false)]
    public void Contracts_AreKeptOrBroken(string contract, bool kept)
    {
        if (kept) A.Require(contract);
        else Assert.Contains(contract, Assert.Throws<ShapeException>(() => A.Require(contract)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("N, -3")]
    [InlineData("3, ...")]
    [InlineData("N,,3")]
    [InlineData("99999999999")]
    public void ContractsThatAreNone_AreRefused(string contract) =>
        Assert.Throws<ShapeException>(() => ShapeContract.Parse(contract));

    [Fact]
    public void ABatch_HoldsSamplesOfOneShape()
    {
        var batch = new Batch<Rank2, double>([A, Matrix<double>.Of(2, 3, 0, 0, 0, 0, 0, 9)]);
        Assert.Equal((2, new Shape(2, 2, 3)), (batch.Count, batch.Tensor.Shape));
        Assert.Equal(9, batch[1].Tensor.At(1, 2));
        Assert.Throws<ShapeException>(() => new Batch<Rank2, double>([A, A.Transposed()]));
        Assert.Throws<ShapeException>(() => new Batch<Rank1, double>([]));
    }

    [Fact]
    public void TheBuilder_CollectsEverythingThatIsWrong()
    {
        var made = new RankedBuilder<Rank2, float>().WithShape(2, 2).WithValues(1, 2, 3, 4)
            .WithContract("N, N").Build();
        Assert.Equal(3, made.Tensor.At(1, 0));
        var wrong = new RankedBuilder<Rank3, float>().WithShape(2, 3).WithValues(1).WithContract("N, N");
        Assert.Null(wrong.TryBuild(out var findings));
        Assert.Equal(["rank", "contract", "values"], findings.Found.Select(f => f.Diagnostic.Where));
        Assert.Throws<DiagnosticException>(() => wrong.Build());
        Assert.Null(new RankedBuilder<Rank1, float>().WithShape(-1).TryBuild(out _));
    }
}
