using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>OPS-11: the CTC loss where enumeration of alignments does not reach.</summary>
public sealed class CtcLossTests
{
    [Theory]
    [InlineData(DType.Float64, 50, 10, 1e-9)]
    [InlineData(DType.Float64, 200, 60, 1e-9)]
    [InlineData(DType.Float32, 200, 60, 1e-2)]
    public void UniformProbabilities_CountTheAlignments(DType dtype, int steps, int labels, double tolerance)
    {
        const int Classes = 4;
        // Labels unlike their neighbours have (T + U over 2U) alignments.
        var count = Enumerable.Range(1, 2 * labels)
            .Sum(k => Math.Log(steps + labels - (2 * labels) + k) - Math.Log(k));
        var x = new Variable(Tensor.Full(dtype, -Math.Log(Classes), new Shape(steps, 1, Classes)), true);
        int[] target = [.. Enumerable.Range(0, labels).Select(k => 1 + (k % 3))];
        var loss = (Variable)x.CtcLoss(
            Whole([1, labels], target), Whole([1], steps), Whole([1], labels), reduction: "sum");
        Assert.Equal((steps * Math.Log(Classes)) - count, loss.Data.At(), tolerance);
        loss.Backward();
        // Posteriors of the classes: at each step they add up to 1.
        var gradient = x.Gradient!.Cast(DType.Float64).ToArray<double>();
        for (var t = 0; t < steps; t++)
            Assert.Equal(-1, gradient.AsSpan(t * Classes, Classes).ToArray().Sum(), tolerance);
    }

    [Theory]
    [InlineData(false, double.PositiveInfinity)]
    [InlineData(true, 0.0)]
    public void TargetThatDoesNotFit_IsInfiniteOrZero_WithoutGradient(bool zeroInfinity, double expected)
    {
        var x = new Variable(Tensor.Full(DType.Float32, -1, new Shape(2, 1, 3)), true);
        // A label twice takes a blank between: three steps.
        var loss = (Variable)x.CtcLoss(
            Whole([1, 2], 1, 1), Whole([1], 2), Whole([1], 2), zeroInfinity: zeroInfinity);
        Assert.Equal(expected, loss.Data.At());
        loss.Backward();
        Assert.All(x.Gradient!.ToArray<float>(), g => Assert.Equal(0, g));
    }

    [Fact]
    public void ProbabilitiesOfZero_HaveFiniteGradients()
    {
        double[] log = [0, double.NegativeInfinity, double.NegativeInfinity, 0, 0, double.NegativeInfinity];
        var x = new Variable(Tensor.Of(log, 3, 1, 2), true);
        var loss = (Variable)x.CtcLoss(Whole([1, 1], 1), Whole([1], 3), Whole([1], 1));
        Assert.Equal(0, loss.Data.At());
        loss.Backward();
        Assert.Equal([-1.0, 0, 0, -1, -1, 0], x.Gradient!.ToArray<double>());
    }

    [Fact]
    public void WrongShapesAndBlanks_AreRefusedByName()
    {
        var x = new Variable(Tensor.Full(DType.Float64, -1, new Shape(3, 2, 4)));
        var (two, targets) = (Whole([2], 2, 2), Whole([2, 2], 1, 2, 3, 1));
        Refused("ctc-loss: the blank 4", () => x.CtcLoss(targets, two, two, blank: 4));
        Refused("ctc-loss: targets", () => x.CtcLoss(Whole([1, 2], 1, 2), two, two));
        Refused("ctc-loss: lengths", () => x.CtcLoss(targets, Whole([1], 2), two));

        static void Refused(string line, Func<Value> act) =>
            Assert.StartsWith(line, Assert.Throws<ShapeException>(act).Message, StringComparison.Ordinal);
    }

    private static Variable Whole(int[] shape, params int[] values) => new(Tensor.Of(values, shape));
}
