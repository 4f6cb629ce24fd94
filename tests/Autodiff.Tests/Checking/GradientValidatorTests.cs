using System.Text.Json;
using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Checking;

/// <summary>GV-07, MON-07: gradients are looked at, and operators are timed, while a program runs.</summary>
public sealed class GradientValidatorTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private static string Only(GradientValidator validator, string name, Variable value)
    {
        var fault = Assert.Single(validator.Check([(name, value)]));
        Assert.Equal(name, fault.Name);
        Assert.DoesNotContain('\n', fault.ToString());
        return fault.Text;
    }

    [Fact]
    public void RightGradients_HaveNoFaults()
    {
        var (w, b) = (new Variable(TestTensors.Normal(1, 3, 4), true), new Variable(TestTensors.Normal(2, 3), true));
        var x = new Variable(TestTensors.Normal(3, 5, 4));
        ((Variable)x.Linear(w, b).Tanh().Sum()).Backward();
        var validator = new GradientValidator(new GradientLimits(SizeMax: 100, NormMax: 100));
        Assert.Empty(validator.Check([("w", w), ("b", b), ("x", x)]));
    }

    [Fact]
    public void EachRule_IsReportedWithPlaceAndFigures()
    {
        var strict = new GradientValidator(new GradientLimits(SizeMax: 10, NormMax: 12));
        Assert.Equal("w: has no gradient after backward; the loss does not depend on it, or it was cleared",
            Only(strict, "w", Of(1, 2)));
        Assert.Empty(new GradientValidator(new GradientLimits(Required: false)).Check([("w", Of(1, 2))]));

        var wide = new Variable(Tensor.Zeros(DType.Float64, 2, 3), true)
        { Gradient = Tensor.Zeros(DType.Float64, 2, 3) };
        wide.Gradient.Set(-11, 1, 2);
        Assert.Equal(
            "layer.w: element [1, 2] of its gradient is -11, at most 10 is allowed; clip by value or lower the rate",
            Only(strict, "layer.w", wide));
        wide.Gradient.Set(double.NaN, 0, 1);
        Assert.Equal("layer.w: element [0, 1] of its gradient is NaN; anomaly mode names the operator",
            Only(strict, "layer.w", wide));
        Assert.Empty(new GradientValidator(new GradientLimits(Finite: false)).Check([("w", wide)]));

        var norm = Of(0, 0);
        norm.Gradient = Tensor.Of([9.0, 9], 2);
        Assert.Equal("b: the norm of its gradient is 12.7279, at most 12 is allowed; clip by norm or lower the rate",
            Only(strict, "b", norm));
    }

    [Fact]
    public void WrongShapesAndTypes_AreNamed()
    {
        var w = new Variable(Tensor.Zeros(DType.Float32, 2, 3), true) { Gradient = Tensor.Zeros(DType.Float64, 3) };
        var faults = new GradientValidator().Check([("w", w)]);
        Assert.Equal([GradientRule.ElementType, GradientRule.Shape], faults.Select(f => f.Rule));
        Assert.Contains("float64[3]", faults[0].Text, StringComparison.Ordinal);
        Assert.Contains("sum over what was repeated", faults[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void WatchedValue_EndsBackwardAtItsFirstFault()
    {
        var x = Of(2, -1);
        var y = (Variable)(x * 3);
        new GradientValidator(new GradientLimits(SizeMax: 5)).Watch("hidden", y);
        var refused = Assert.Throws<GradientException>(() => ((Variable)(y * Of(1, 7)).Sum()).Backward());
        Assert.Contains("hidden: element [1] of its gradient is 7", refused.Message, StringComparison.Ordinal);
        var calm = (Variable)(x * 3);
        new GradientValidator(new GradientLimits(SizeMax: 5)).Watch("hidden", calm);
        ((Variable)calm.Sum()).Backward();
        Assert.Equal([3.0, 3], x.Gradient!.ToArray<double>());
    }

    [Fact]
    public void Profile_CountsAndTimesOperators_WhileItIsOn()
    {
        // MON-07
        var clock = new SteppingClock();
        var profile = new OpProfile(clock);
        var x = Of(1, 2, 3);
        x.Exp();
        Assert.Empty(profile.Timings);
        using (profile.Start())
        {
            ((Variable)(x.Exp() * x.Exp()).Sum()).Backward();
            using (new OpProfile(clock).Start()) x.Sin();
            x.Exp();
        }

        x.Exp();
        var exp = profile.Timings.Single(t => t.Operator == "exp");
        Assert.Equal((3, 3, 1, 1, 9), (exp.Calls, exp.TotalMs, exp.MinMs, exp.MaxMs, exp.Elements));
        Assert.Equal((1, 3000), (exp.MeanMs, exp.ElementsPerSecond));
        Assert.DoesNotContain(profile.Timings, t => t.Operator == "sin");
        // Backward runs operators too: two products for the two factors, two for the slopes of exp.
        Assert.Equal(5, profile.Timings.Single(t => t.Operator == "multiply").Calls);
        Assert.Equal(profile.Timings.OrderByDescending(t => t.TotalMs), profile.Timings);
        Assert.StartsWith("operator,calls,total_ms", profile.ToCsv(), StringComparison.Ordinal);
        Assert.Contains("exp,3,3,1,1,1,9\n", profile.ToCsv(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(profile.ToJson());
        Assert.Equal(profile.Timings.Count, json.RootElement.GetArrayLength());
        profile.Clear();
        Assert.Empty(profile.Timings);
    }

    /// <summary>Every look at it is half a millisecond later, so an operator takes one.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _now++;
    }
}
