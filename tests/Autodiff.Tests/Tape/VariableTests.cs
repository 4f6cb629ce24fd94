using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>AD-01, AD-02, AD-04, AD-05, AD-06, AD-07, AD-11, GIR-02: the eager tape.</summary>
public sealed class VariableTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    [Fact]
    public void AValueUsedSeveralTimes_GetsTheSum()
    {
        var x = Of(3);
        var y = (Variable)((x * x) + (x * 2) + x);
        y.Backward();
        Assert.Equal(9, x.Gradient!.At(0));
    }

    // A vector is a row on the left and a column on the right, and is gone from the result.
    [Theory]
    [InlineData(new[] { 3 }, new[] { 3 }, new int[0])]
    [InlineData(new[] { 3 }, new[] { 3, 2 }, new[] { 2 })]
    [InlineData(new[] { 3 }, new[] { 4, 3, 2 }, new[] { 4, 2 })]
    [InlineData(new[] { 2, 3 }, new[] { 3 }, new[] { 2 })]
    [InlineData(new[] { 4, 2, 3 }, new[] { 3 }, new[] { 4, 2 })]
    public void ProductsOfVectors_HaveTheShapeOfWhatIsLeft(int[] a, int[] b, int[] y)
    {
        Variable Filled(int[] dims) => new(Tensor.Ones(DType.Float64, dims), requiresGradient: true);
        var (left, right) = (Filled(a), Filled(b));
        var product = (Variable)left.MatMul(right);
        Assert.Equal(new Shape(y), product.Data.Shape);
        Assert.All(product.Data.ToArray<double>(), v => Assert.Equal(3, v));
        ((Variable)product.Sum()).Backward();
        Assert.Equal((left.Data.Shape, right.Data.Shape), (left.Gradient!.Shape, right.Gradient!.Shape));
        Assert.Equal(product.Data.Count * 3, left.Gradient!.ToArray<double>().Sum());
        Assert.Equal(product.Data.Count * 3, right.Gradient!.ToArray<double>().Sum());
    }

    [Fact]
    public void BackwardCalls_Accumulate()
    {
        var x = Of(3);
        for (var i = 0; i < 3; i++) ((Variable)x.Square()).Backward();
        Assert.Equal(18, x.Gradient!.At(0));
        x.ClearGradient();
        Assert.Null(x.Gradient);
    }

    [Fact]
    public void TheSeedIsNotShared()
    {
        var x = Of(1, 2);
        var seed = Tensor.Ones(DType.Float64, 2);
        ((Variable)x.Reshape(2).Add(x.Constant(0))).Backward(seed);
        x.Gradient!.Fill(9);
        Assert.Equal(1, seed.At(0));
    }

    [Fact]
    public void TheHistoryIsReleasedAfterBackward_UnlessRetained()
    {
        var x = Of(2);
        var y = (Variable)x.Square();
        y.Backward(retain: true);
        y.Backward();
        Assert.Equal(8, x.Gradient!.At(0));
        Assert.Throws<GradientException>(() => y.Backward());
    }

    [Fact]
    public void NothingIsRecordedInANoGradientScope()
    {
        var x = Of(2);
        using (GradientMode.Off())
        {
            using (GradientMode.Off()) Assert.False(GradientMode.IsOn);
            Assert.False(((Variable)x.Square()).RequiresGradient);
        }

        Assert.True(((Variable)x.Square()).RequiresGradient);
        Assert.False(((Variable)x.Detach().Square()).RequiresGradient);
    }

    [Fact]
    public void ATensorWrittenAfterItWasRecorded_IsRefused()
    {
        var x = Of(2, 3);
        var y = (Variable)x.Square().Sum();
        x.Data.Slice(0..1).Fill(7);
        var refused = Assert.Throws<GradientException>(() => y.Backward());
        Assert.Contains("square", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ControlFlowMayDependOnValues()
    {
        var x = Of(1.5);
        Value y = x;
        while (((Variable)y).Data.At(0) < 20) y *= x;
        ((Variable)y).Backward();
        // y = x^8
        Assert.Equal(8 * Math.Pow(1.5, 7), x.Gradient!.At(0), 9);
    }

    [Fact]
    public void FunctionalGradients_LeaveVariablesAlone()
    {
        var (x, y, z) = (Of(2), Of(5), Of(1));
        var gradients = Differentiate.Gradient([(Variable)(x * x * y)], [x, y, z]);
        Assert.Equal([20, 4, 0], gradients.Select(g => g.Data.At(0)));
        Assert.Null(x.Gradient);
    }

    [Fact]
    public void GradientsAreReadAndPut_AndFailuresComeThrough()
    {
        var x = Of(2);
        x.Gradient = Tensor.Of([100.0], 1);
        ((Variable)x.Square()).Backward();
        Assert.Equal(104, x.Gradient.At(0));
        Assert.Throws<ShapeException>(() => Differentiate.Gradient([(Variable)x.Square()], [x], [Of(1, 2)]));
    }

    [Fact]
    public void LoopsAndBranches_AreRecordedAsTheyRan()
    {
        // Newton's method for the root of y² = x: as many steps as it takes, another path for x below 1.
        static Variable Root(Variable x)
        {
            Value y = x.Data.At(0) < 1 ? (x * 0) + 1 : x / 2;
            while (Math.Abs((((Variable)y).Data.At(0) * ((Variable)y).Data.At(0)) - x.Data.At(0)) > 1e-13)
                y = (y + (x / y)) / 2;
            return (Variable)((y + (x / y)) / 2);
        }

        foreach (var at in new[] { 0.25, 9.0, 50 })
        {
            var x = Of(at);
            Root(x).Backward();
            Assert.Equal(0.5 / Math.Sqrt(at), x.Gradient!.At(0), 6);
        }
    }

    [Fact]
    public void GradientsCanBeDifferentiatedAgain()
    {
        var x = Of(2);
        Variable y = (Variable)x.Pow(5);
        double[] expected = [80, 160, 240, 240, 120];
        foreach (var value in expected)
        {
            y = Differentiate.Gradient([y], [x], createGraph: true)[0];
            Assert.Equal(value, y.Data.At(0), 9);
        }
    }

    [Fact]
    public void BroadcastGradients_AreSummed()
    {
        var x = new Variable(Tensor.Ones(DType.Float64, 3, 1), true);
        var y = new Variable(Tensor.Ones(DType.Float64, 4), true);
        ((Variable)(x * y).Sum()).Backward();
        Assert.Equal(new Shape(3, 1), x.Gradient!.Shape);
        Assert.Equal(4, x.Gradient.At(2, 0));
        Assert.Equal([3, 3, 3, 3], y.Gradient!.ToArray<double>());
    }

    [Fact]
    public void BackwardNeedsAScalarOrASeed()
    {
        var x = Of(1, 2);
        Assert.Throws<ShapeException>(() => ((Variable)x.Square()).Backward());
        ((Variable)x.Square()).Backward(Tensor.Of([1.0, 10], 2));
        Assert.Equal([2, 40], x.Gradient!.ToArray<double>());
    }

    [Fact]
    public void IndicesHaveNoGradient() =>
        Assert.Throws<ShapeException>(() => new Variable(Tensor.Zeros(DType.Int32, 2), requiresGradient: true));

    [Theory]
    [InlineData("ij,jk->iz", "'z'")]
    [InlineData("ij,j?->i", "character 5 '?'")]
    [InlineData("ij->ii", "character 6 'i' is twice")]
    [InlineData("ij,jk->ik", "'j' is 2 here and 3 before")]
    [InlineData("ij->ij", "1 operand")]
    [InlineData("ijk,ij->i", "operand")]
    public void WrongEinsums_PointAtTheCharacter(string spec, string part)
    {
        var x = new Variable(Tensor.Ones(DType.Float64, 2, 3));
        var refused = Assert.Throws<ShapeException>(() => Functions.Einsum(spec, x, x));
        Assert.Contains(part, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EinsumWithDifferentSizes_PointsAtTheCharacter()
    {
        var x = new Variable(Tensor.Ones(DType.Float64, 2, 3));
        var refused = Assert.Throws<ShapeException>(() => Functions.Einsum("ij, jk->ik", x, x));
        Assert.Contains("character 5 'j' is 2 here and 3 before", refused.Message, StringComparison.Ordinal);
    }
}
