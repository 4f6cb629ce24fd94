using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Errors;

/// <summary>
/// ERR-01, ERR-06, ERR-08, ERR-09: codes, what a failure leaves behind, fallbacks, and where it arose.
/// </summary>
public sealed class ErrorContextTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private sealed class ThrownByUser() : Exception("by the user");

    private static CustomOperator Throwing(bool inForward) => CustomOperator.Define(
        "fragile", t => t[0],
        x => inForward ? throw new ThrownByUser() : x[0].Copy(),
        g => inForward ? [g.Gradient] : throw new ThrownByUser());

    [Fact]
    public void Errors_CarryTheirCode()
    {
        Value x = Of(1, 2), y = Of(1, 2, 3);
        Assert.Equal(ErrorCode.ShapeMismatch, Assert.Throws<ShapeException>(() => x + y).ErrorCode);
        Assert.Equal(ErrorCode.EinsumSpec, Assert.Throws<ShapeException>(() => Functions.Einsum("i?", x)).ErrorCode);
        Value ids = new Variable(Tensor.Zeros(DType.Int32, 2));
        Assert.Equal(ErrorCode.ElementType, Assert.Throws<ShapeException>(() => ids.Exp()).ErrorCode);
        var used = (Variable)x.Square().Sum();
        used.Backward();
        Assert.Equal(ErrorCode.Gradient, Assert.Throws<GradientException>(() => used.Backward()).ErrorCode);
        Assert.Equal(ErrorCode.GraphFormat,
            Assert.Throws<GraphFormatException>(() => GraphCodec.Decode([1, 2])).ErrorCode);
        Assert.Equal(ErrorCode.DeviceAllocation,
            Assert.Throws<DeviceMemoryException>(() => Tensor.Zeros(DType.Float64, 1 << 20, 1 << 20)).ErrorCode);
        using var scope = AnomalyMode.On();
        Assert.Equal(ErrorCode.NotANumber, Assert.Throws<AnomalyException>(() => (x - 5).Log()).ErrorCode);
    }

    [Fact]
    public void AForwardThatThrows_RecordsNothing()
    {
        var x = Of(2);
        var before = (Variable)x.Square();
        Assert.Throws<ThrownByUser>(() => Throwing(inForward: true).Apply(before));
        Assert.True(GradientMode.IsOn);
        before.Backward();
        Assert.Equal(4, x.Gradient!.At(0));
    }

    [Fact]
    public void ABackwardThatThrows_ChangesNoGradient()
    {
        var (x, z) = (Of(2), Of(3));
        ((Variable)(x * z)).Backward();
        var broken = (Variable)((z * z) + Throwing(inForward: false).Apply(x));
        Assert.Throws<ThrownByUser>(() => broken.Backward());
        Assert.True(GradientMode.IsOn);
        Assert.Equal((3, 2), (x.Gradient!.At(0), z.Gradient!.At(0)));
    }

    [Fact]
    public void TheStrongGuarantee_LeavesTheHistoryWhole()
    {
        var x = Of(2);
        var fails = true;
        var y = (Variable)x.Square();
        y.OnGradient(g => fails ? throw new ThrownByUser() : g);
        var loss = (Variable)y.Exp();
        Assert.Throws<ThrownByUser>(() => loss.Backward(safety: ExceptionSafety.Strong));
        fails = false;
        loss.Backward(safety: ExceptionSafety.Strong);
        Assert.Equal(4 * Math.Exp(4), x.Gradient!.At(0), 10);
        Assert.Throws<GradientException>(() => loss.Backward());
    }

    [Fact]
    public void TheNoThrowLevel_GivesAVerdict()
    {
        var x = Of(2);
        Assert.Null(((Variable)x.Square()).TryBackward());
        var verdict = ((Variable)Throwing(inForward: false).Apply(x)).TryBackward();
        Assert.IsType<ThrownByUser>(verdict!.Root);
        Assert.Equal(4, x.Gradient!.At(0));
    }

    [Fact]
    public void AFormulaThatFailsHalfWay_LeavesTheGraphAsItWas()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float64, 2, 3);
        builder.Output("y", x.Exp());
        // The reduction is the last thing that this loss looks at, after all operators of its formula.
        var before = GraphPrinter.Text(builder.Build());
        Assert.Throws<ShapeException>(() => x.Builder.Apply(
            OpTable.BceWithLogits, Attributes.Of("reduction", "none-such"), [x, x]));
        Assert.Equal(before, GraphPrinter.Text(builder.Build()));
        builder.Output("z", x.Log());
        Assert.Null(GraphVerifier.FirstFault(builder.Build()));
    }

    [Fact]
    public void TheOperatorsAtWork_AreNamed_InnermostFirst()
    {
        Value x = Of(1, 2, 3), y = Of(1, 2);
        var failure = Assert.Throws<ShapeException>(
            () => x.CosineSimilarity(y));
        var frames = OperatorStack.Of(failure);
        Assert.StartsWith("cosine-similarity([3], [2])", frames[^1], StringComparison.Ordinal);
        Assert.StartsWith("multiply", frames[0], StringComparison.Ordinal);
        var thrown = Assert.Throws<ThrownByUser>(() =>
            ((Variable)Throwing(inForward: false).Apply(y).Sum()).Backward());
        Assert.Equal(["gradient of fragile"], OperatorStack.Of(thrown));
    }

    [Fact]
    public void ADiagnosis_HasCauseImpactAndRemedy()
    {
        using var scope = AnomalyMode.On(step: 3);
        var failure = Assert.Throws<AnomalyException>(() => ((Value)Of(-1, 2)).Log());
        var diagnosis = FailureDiagnosis.Of(new AggregateException(failure));
        Assert.Equal(ErrorCode.NotANumber, diagnosis.Code);
        Assert.Contains("logarithm", diagnosis.Cause, StringComparison.Ordinal);
        Assert.Contains("Guarded.Log", diagnosis.Remedy, StringComparison.Ordinal);
        Assert.Contains("fails again", diagnosis.Impact, StringComparison.Ordinal);
        Assert.Contains("log([2])", diagnosis.ToDiagnostic().ToString(), StringComparison.Ordinal);
        var shapes = FailureDiagnosis.Of(Assert.Throws<ShapeException>(() => ((Value)Of(1, 2)).MatMul(Of(1, 2, 3))));
        Assert.Contains("transposed", shapes.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void ACustomOperatorWithAFormula_GoesIntoAGraphAsItsFormula()
    {
        OperatorFallback.ClearStatistics();
        var cube = CustomOperator.Define(
            "cube", t => t[0], x => x[0].Copy(), (IReadOnlyList<Value> x) => x[0].Pow(3));
        var builder = new GraphBuilder();
        builder.Output("y", cube.Apply(builder.Input("x", DType.Float64, 2)));
        Assert.Contains("exponent=3", GraphPrinter.Text(builder.Build()), StringComparison.Ordinal);
        Assert.Equal([new FallbackCount("cube", OpCategory.Custom, "its formula", 1)], OperatorFallback.Statistics);
        OperatorFallback.ClearStatistics();
    }

    [Fact]
    public void ARuleOfTheCaller_TakesThePlaceOfWhatIsUnsupported_InItsScopeOnly()
    {
        // A forward by hand cannot travel: workers never load the code of a user.
        var hand = CustomOperator.Define("by-hand", t => t[0], x => x[0].Copy(), g => [g.Gradient]);
        Value Put(GraphBuilder b) => hand.Apply(b.Input("v", DType.Float32, Dim.Batch, 4, 2));

        OperatorFallback.ClearStatistics();
        Assert.Throws<UnsupportedException>(() => Put(new GraphBuilder()));
        using (OperatorFallback.Use("by-hand", (x, _) => [x[0].Relu()]))
        {
            for (var i = 0; i < 2; i++) Assert.True(Put(new GraphBuilder()).Type.IsPerSample);
        }

        Assert.Throws<UnsupportedException>(() => Put(new GraphBuilder()));
        Assert.Equal(2, Assert.Single(OperatorFallback.Statistics).Times);
        using (OperatorFallback.Use("by-hand", (x, _) => [hand.Apply(x[0])]))
            Assert.Throws<UnsupportedException>(() => Put(new GraphBuilder()));
        OperatorFallback.ClearStatistics();
    }

    [Fact]
    public void EveryOperatorOfTheTable_HasAFamily()
    {
        Assert.DoesNotContain(OpTable.All, op => OpCategories.Of(op) == OpCategory.Custom);
        Assert.Equal(OpCategory.Elementwise, OpCategories.Of(OpTable.Multiply));
        Assert.Equal(OpCategory.LinearAlgebra, OpCategories.Of(OpTable.Svd));
        Assert.Equal(OpCategory.Gradient, OpCategories.Of(OpTable.SoftmaxGrad));
        Assert.Equal(OpCategory.Shape, OpCategories.Of(OpTable.Reshape));
        Assert.Equal(OpCategory.Leaf, OpCategories.Of(OpTable.Parameter));
        Assert.Equal(OpCategory.Contraction, OpCategories.Of(OpTable.Einsum));
    }
}
