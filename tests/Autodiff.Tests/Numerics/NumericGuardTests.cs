using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Numerics;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Numerics;

/// <summary>ERR-03, ERR-04: numbers that are not finite, guarded functions, strict and permissive mode.</summary>
public sealed class NumericGuardTests
{
    private static readonly double[] Bad =
        [1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 40, -40, 5e-320, 0];

    [Fact]
    public void Sanitizing_ReplacesAndCounts()
    {
        var policy = NumericPolicy.Permissive with { ForNaN = 7, ForPositiveInfinity = 9, Low = -10, High = 10 };
        var (clean, report) = TensorSanitizer.Clean(Tensor.Of(Bad, 8), policy);
        Assert.Equal([1, 7, 9, double.MinValue, 10, -10, 5e-320, 0], clean.ToArray<double>());
        Assert.Equal(new NumericalReport(8, 1, 1, 1, 1, 1, 1, 0, 1), report);
        Assert.Equal(5, report.Faults);
        Assert.Equal("8 elements: 1 NaN, 1 +infinity, 1 -infinity, 1 too low, 1 too high, the first at element 1",
            $"{report}");
    }

    [Fact]
    public void Sanitizing_InFloat32_StaysFinite()
    {
        var (clean, _) = TensorSanitizer.Clean(Tensor.Of([float.PositiveInfinity, -1f], 2), NumericPolicy.Permissive);
        Assert.Equal([float.MaxValue, -1f], clean.ToArray<float>());
        Assert.Equal(0, TensorSanitizer.Inspect(Tensor.Zeros(DType.Int32, 3), NumericPolicy.Strict).Faults);
        Assert.Equal(0, TensorSanitizer.Inspect(Tensor.Zeros(DType.Float32, 0), NumericPolicy.Strict).Faults);
    }

    [Fact]
    public void StrictMode_NamesTheFirstFault_AndChangesNothing()
    {
        var x = Tensor.Of(Bad, 8);
        var refused = Assert.Throws<NumericalException>(() => TensorSanitizer.Clean(x, NumericPolicy.Strict));
        Assert.Equal(ErrorCode.NotANumber, refused.ErrorCode);
        Assert.Contains("element 1", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Bad, x.ToArray<double>());
    }

    [Fact]
    public void AGuard_FailsOrRepairs_AtTheOperatorThatMadeTheNumber()
    {
        var x = new Variable(Tensor.Of([1000.0, -1], 2), requiresGradient: true);
        using (NumericGuard.Use(NumericPolicy.Strict))
        {
            var refused = Assert.Throws<NumericalException>(() => x.Exp().Log());
            Assert.StartsWith("exp: ", refused.Message, StringComparison.Ordinal);
            Assert.Equal(ErrorCode.Infinite, refused.ErrorCode);
        }

        using (var guard = NumericGuard.Use(NumericPolicy.Permissive))
        {
            Assert.Equal([double.MaxValue, Math.Exp(-1)], ((Variable)x.Exp()).Data.ToArray<double>());
            ((Variable)x.Log().Sum()).Backward();
            Assert.All(x.Gradient!.ToArray<double>(), g => Assert.True(double.IsFinite(g)));
            Assert.Equal(["exp", "log"], guard.Issues.Select(i => i.Op));
            Assert.Equal(2, guard.Faults);
        }

        Assert.True(double.IsPositiveInfinity(((Variable)x.Exp()).Data.At(0)));
    }

    [Fact]
    public void GuardedFunctions_StayFinite_WithTheirGradients()
    {
        var guarded = new Guarded(NumericPolicy.Permissive with { Smallest = 1e-3 });
        var x = new Variable(Tensor.Of([4.0, 0, -2], 3), requiresGradient: true);
        Func<Value, Value>[] all = [v => guarded.Divide(v.Constant(1), v), guarded.Log, guarded.Sqrt];
        double[][] values = [[0.25, 1000, -0.5], [Math.Log(4), Math.Log(1e-3), Math.Log(1e-3)], [2, 0, 0]];
        double[][] slopes = [[-1.0 / 16, 0, -0.25], [0.25, 0, 0], [0.25, 0, 0]];
        for (var i = 0; i < all.Length; i++)
        {
            var y = (Variable)all[i](x);
            Assert.Equal(values[i], y.Data.ToArray<double>());
            x.ClearGradient();
            ((Variable)y.Sum()).Backward();
            Assert.Equal(slopes[i], x.Gradient!.ToArray<double>());
        }

        Assert.Equal(5, guarded.Replaced);
        Assert.Equal((2, 1), (guarded.Report.Guarded, guarded.Report.First));
    }

    [Fact]
    public void GuardedFunctions_HaveRightDerivatives_AwayFromZero()
    {
        var guarded = new Guarded(NumericPolicy.Permissive);
        Tensor[] at = [Tensor.Of([0.7, 1.9], 2), Tensor.Of([1.3, 0.4], 2)];
        foreach (var result in GradCheck.Run(
            v => (Variable)(guarded.Divide(v[0], v[1]) * guarded.Log(v[0]) * guarded.Sqrt(v[1])), at))
            Assert.True(GradCheck.Passes(result), result.ToString());
    }

    [Fact]
    public void GuardedFunctions_InStrictMode_RefuseTheElement()
    {
        var guarded = new Guarded(NumericPolicy.Strict);
        Value one = new Variable(Tensor.Ones(DType.Float64, 2)), x = new Variable(Tensor.Of([1.0, 0], 2));
        var refused = Assert.Throws<NumericalException>(() => guarded.Divide(one, x));
        Assert.Equal(ErrorCode.DivideByZero, refused.ErrorCode);
        Assert.Contains("element 1", refused.Message, StringComparison.Ordinal);
        Assert.Throws<NumericalException>(() => guarded.Log(x));
    }

    [Fact]
    public void GuardedFunctions_GoIntoGraphs()
    {
        var builder = new GraphBuilder();
        builder.Output("y", new Guarded(NumericPolicy.Strict).Log(builder.Input("x", DType.Float64, 2)));
        var bound = new Dictionary<string, Variable> { ["x"] = new(Tensor.Of([0.0, 1], 2)) };
        Assert.Equal([Math.Log(1e-12), 0], GraphRunner.Run(builder.Build(), bound)["y"].Data.ToArray<double>());
    }
}
