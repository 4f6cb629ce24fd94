using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// OPS-01 to OPS-21, LOG-03, LOG-04, ERR-07: places where formulas divide 0 by 0, operands of size 0, single numbers,
/// and shapes that would be repeated without a word.
/// </summary>
public sealed class OddOperandTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private static Variable Shaped(params int[] dims) =>
        new(Tensor.Full(DType.Float64, 0.5, new Shape(dims)), requiresGradient: true);

    private static Variable Ids(params int[] ids) => new(Tensor.Of(ids, ids.Length));

    private static double[] Numbers(Value value) => ((Variable)value).Data.ToArray<double>();

    private static double[] Slopes(Variable x, Func<Value, Value> function)
    {
        x.ClearGradient();
        ((Variable)function(x).Sum()).Backward();
        return x.Gradient!.ToArray<double>();
    }

    private static double Third(Func<Value, Value> function, double at)
    {
        var x = Of(at);
        Value y = function(x).Sum();
        for (var order = 0; order < 3; order++)
            y = Differentiate.Gradient([(Variable)y], [x], createGraph: true)[0].Sum();
        return Numbers(y)[0];
    }

    // OPS-04: 0 times infinity is not the slope of a constant.
    [Fact]
    public void Powers_HaveTheirSlopes_AtZero()
    {
        Assert.Equal([0, 0], Slopes(Of(0, 2), x => x.Pow(0.0)));
        Assert.Equal([0, 0], Slopes(Of(0, 2), x => x.Pow(Of(0, 0))));
        Assert.Equal([0, 0, 4 * Math.Log(2)], Slopes(Of(0, 3, 2), y => Of(0, 0, 2).Pow(y)));
        Assert.Equal(0, Third(x => x.Pow(2.0), 0));
        Assert.Equal(6, Third(x => x.Pow(3.0), 0));
        Assert.Equal(24 * 0.5, Third(x => x.Pow(4.0), 0.5), 12);
    }

    // OPS-19: logits of zeros are where training begins.
    [Fact]
    public void BceWithLogits_HasTheSlopeHalfMinusTarget_AtZero_AndKeepsSmallLosses()
    {
        Assert.Equal([-0.5, 0.5, 0.25], Slopes(Of(0, 0, 0), x => x.BceWithLogits(Of(1, 0, 0.25), "sum")));
        var loss = Numbers(Of(40, -40, 800, -800).BceWithLogits(Of(1, 0, 1, 1), "none"));
        Assert.Equal([Math.Exp(-40), Math.Exp(-40), 0, 800], loss, Near);
    }

    [Fact]
    public void TheDeviationOfEquals_HasTheSlopeZero_AndOfNothingThereIsNone()
    {
        Assert.Equal([0, 0, 0], Slopes(Of(2, 2, 2), x => x.Std()));
        Assert.Equal([0, 0], Slopes(Of(2, 2), x => x.Std(unbiased: false)));
        Assert.All(Numbers(Shaped(0, 3).Variance([0])), v => Assert.True(double.IsNaN(v)));
    }

    // OPS-07: one rule for all windows: of equals the first in row order.
    [Fact]
    public void PoolsOfEquals_GiveTheirGradientToTheFirst_HoweverTheWindowIsWritten()
    {
        double[] first = [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];
        var x = Shaped(1, 1, 4, 4);
        Assert.Equal(first, Slopes(x, v => v.MaxPool2d(2)));
        Assert.Equal(first, Slopes(x, v => v.MaxPool(2)));
        Assert.Equal(first, Slopes(x, v => v.MaxPool([2, 2])));
        Assert.Equal(first, Slopes(x, v => v.AdaptiveMaxPool(2)));
        Assert.Equal([.. Enumerable.Repeat(0.25, 16)], Slopes(x, v => v.MaxPool(2, ties: "share")));
        // The larger of a column that comes later in row order does not win over an equal one in the first row.
        var crossed = new Variable(Tensor.Of([0.0, 1, 1, 0], 1, 1, 2, 2), requiresGradient: true);
        Assert.Equal([0, 1, 0, 0], Slopes(crossed, v => v.AdaptiveMaxPool(1)));
    }

    // LOG-04: nothing exists among none, and all of none hold, in every reading that has a value.
    [Fact]
    public void ReductionsOfNothing_AreTheNeutralElement()
    {
        var none = Shaped(0, 2);
        Assert.Equal([0, 0], Numbers(none.Any([0])));
        Assert.Equal([1, 1], Numbers(none.All([0])));
        Assert.Equal([0, 0], Numbers(none.Exists([0])));
        Assert.Equal([1, 1], Numbers(none.ForAll([0])));
        Assert.Equal(Numbers(none.Exists([0])), Numbers(none.ExistsProb([0])));
        Assert.Equal(Numbers(none.ForAll([0])), Numbers(none.ForAllProb([0])));
        Assert.All(Numbers(none.LogSumExp([0])), v => Assert.Equal(double.NegativeInfinity, v));
        Assert.Equal([0, 0], Numbers(none.Norm([0], p: double.PositiveInfinity)));
        Assert.Equal(new Shape(1, 2), ((Variable)none.Any([0], keep: true)).Data.Shape);
        Assert.Equal([1], Numbers(Shaped(0, 0).Determinant()));
        Assert.Equal([1, 1], Numbers(Shaped(2, 0, 0).Determinant()));
    }

    [Fact]
    public void SingleNumbers_AreListsOfOne()
    {
        var x = new Variable(Tensor.Full(DType.Float64, 3, new Shape()), requiresGradient: true);
        foreach (var axis in new[] { 0, -1 })
        {
            Assert.Equal(1, Numbers(x.Softmax(axis))[0]);
            Assert.Equal(0, Numbers(x.LogSoftmax(axis))[0]);
            Assert.Equal(3, Numbers(x.CumSum(axis))[0]);
            Assert.Equal(3, Numbers(x.Sort(axis).Values)[0]);
            Assert.Equal(3, Numbers(x.Sum([axis]))[0]);
            Assert.Equal(0, ((Variable)x.ArgMax(axis)).Data.At());
            Assert.Equal(0, ((Variable)x.CumProd(axis)).Type.Rank);
        }

        Assert.Equal([1], Slopes(x, v => v.Flip(0)));
        Assert.Throws<ShapeException>(() => x.Softmax(1));
    }

    // CPX-01, OPS-17: no direction at the origin, no gradient.
    [Fact]
    public void AnglesAtTheOrigin_HaveTheSlopeZero()
    {
        Assert.Equal([0, 1], Slopes(Of(0, 0), x => x.Atan2(Of(0, 1))));
        var z = ComplexValue.Of([new(0, 0), new(0, 2)], new Shape(2), requiresGradient: true);
        var (real, imaginary) = ComplexValue.Gradient((Variable)z.Angle().Sum(), [z])[0];
        Assert.Equal(([0, -0.5], [0, 0]), (real.ToArray<double>(), imaginary.ToArray<double>()), new Same());
    }

    private sealed class Same : IEqualityComparer<(double[], double[])>
    {
        public bool Equals((double[], double[]) x, (double[], double[]) y) =>
            x.Item1.SequenceEqual(y.Item1) && x.Item2.SequenceEqual(y.Item2);

        public int GetHashCode((double[], double[]) obj) => obj.Item1.Length;
    }

    // OPS-15: a formula has no rule to put another in the place of; it was passed over without a word.
    [Fact]
    public void TheGradientOfAFormula_IsNotOverridden_WithoutAWord()
    {
        var refused = Assert.Throws<UnsupportedException>(
            () => GradientOverride.Use(OpTable.HuberLoss, g => [null, null]));
        Assert.StartsWith(
            "huber-loss: has no gradient of its own to override", refused.Message, StringComparison.Ordinal);
        Assert.Throws<UnsupportedException>(() => GradientOverride.Use(OpTable.Input, g => []));
        using var scope = GradientOverride.Use(OpTable.Sin, g => [g.Gradient * 3]);
        Assert.Equal([3, 3], Slopes(Of(1, 2), x => x.Sin()));
    }

    // A result that is its operand is differentiated like any other.
    [Fact]
    public void WhereNothingIsDone_TheGradientStillArrives()
    {
        var x = Of(1, 2);
        ((Variable)x.Pad(0, 0, 0)).Backward(Tensor.Of([3.0, 4], 2));
        Assert.Equal([3, 4], x.Gradient!.ToArray<double>());
        ((Variable)x.Roll(0, 0)).Backward(Tensor.Of([3.0, 4], 2));
        Assert.Equal([6, 8], x.Gradient!.ToArray<double>());
    }

    [Fact]
    public void Reshape_FindsOneSize_AndTileCountsFromTheLast()
    {
        var x = Shaped(2, 3, 4);
        Assert.Equal(new Shape(6, 4), ((Variable)x.Reshape(-1, 4)).Data.Shape);
        Assert.Equal(new Shape(24), ((Variable)x.Reshape(-1)).Data.Shape);
        Assert.Contains("[2, 3, 4] has 24 elements", Refused(() => x.Reshape(5, -1)), StringComparison.Ordinal);
        Assert.Contains("-1", Refused(() => x.Reshape(-1, -1)), StringComparison.Ordinal);
        Assert.Equal(new Shape(2, 3, 8), ((Variable)x.Tile(2)).Data.Shape);
        var graph = new Convoy.Autodiff.Graphs.GraphBuilder().Input("x", DType.Float64, Dim.Batch, 2, 3);
        Assert.Equal("[N, 6]", graph.Reshape(-1, 6).Type.Text);
        Assert.Equal("[N, 6]", graph.Reshape(Dim.Batch, -1).Type.Text);
    }

    public static TheoryData<string> Wrong() => [.. Cases.Keys];

    // Each was computed, wrongly or by repeating an operand, before.
    private static readonly Dictionary<string, (Func<Value> Call, string Rule)> Cases = new()
    {
        ["mse"] = (() => Shaped(3, 1).MseLoss(Shaped(3)), "mse-loss: [3, 1] and [3] are not of one shape"),
        ["bce"] = (() => Shaped(3, 1).BceWithLogits(Shaped(3)), "bce-with-logits: [3, 1] and [3]"),
        ["huber"] = (() => Shaped(3).HuberLoss(Shaped(1)), "huber-loss: [3] and [1]"),
        ["delta"] = (() => Shaped(3).HuberLoss(Shaped(3), delta: -1), "delta is above 0, not -1"),
        ["kl"] = (() => Shaped(2, 3).KlDiv(Shaped(3)), "kl-div: [2, 3] and [3]"),
        ["hinge"] = (() => Shaped(2, 3).HingeLoss(Shaped(3)), "hinge-loss: [2, 3] and [3]"),
        ["straight-through"] = (() => Shaped(2, 3).StraightThrough(Shaped(3)), "straight-through: [2, 3] and [3]"),
        ["cosine"] = (() => Shaped(2, 3).CosineEmbeddingLoss(Shaped(2, 3), Shaped(1)), "[1] has not one sign"),
        ["classes"] = (() => Shaped(2, 3).CrossEntropyLoss(Ids(0)), "targets [1] do not belong to [2, 3]"),
        ["no class"] = (() => Shaped(2, 3).CrossEntropyLoss(Ids(0, 3)), "index 3 is outside a dimension of 3"),
        ["smoothing"] = (() => Shaped(1, 3).CrossEntropyLoss(Ids(0), smoothing: 2), "smoothing is 0 to 1, not 2"),
        ["permutation"] = (() => Shaped(2, 3).Transpose(0), "transpose: [0] is not a permutation"),
        ["bias"] = (() => Shaped(1, 2, 5).Conv1d(Shaped(3, 2, 3), Shaped(1)), "a bias has the shape [3], not [1]"),
        ["gain"] = (() => Shaped(2, 3).RmsNorm(Shaped(1)), "the gain [1] has not the shape [3]"),
        ["state"] = (() => Shaped(2, 4, 3).Lstm(
            Shaped(2, 5), Shaped(2, 1), Shaped(20, 3), Shaped(20, 5), Shaped(20)).H, "a state is [2, 5], not [2, 1]"),
        ["gates"] = (() => Shaped(2, 4, 3).Gru(
            Shaped(2, 5), Shaped(15, 3), Shaped(15, 5), Shaped(1), Shaped(15)).H, "a bias is [15], not [1]"),
        ["temperature"] = (() => Shaped(3).ExistsSmooth(-1), "a temperature is above 0 and finite, not -1"),
        ["cold"] = (() => Shaped(3).ForAllSmooth(0), "a temperature is above 0 and finite, not 0"),
        ["frozen"] = (() => Shaped(3).GumbelSoftmax(1, temperature: 0), "the temperature is above 0, not 0"),
        ["alpha"] = (() => Shaped(3).Celu(0), "celu: alpha is not 0"),
        ["p"] = (() => Shaped(3).Norm(p: 0), "norm: p is 1 or more"),
        ["integers"] = (() => Ids(1, 2) * 2, "takes float32 or float64 numbers, not int32[2]: cast it first"),
        ["no vectors"] = (() => Functions.Meshgrid()[0], "meshgrid: takes at least one vector"),
        ["an axis"] = (() => Shaped(2, 3).Sum([5]), "sum: there is no dimension 5 of [2, 3]: it is -2 to 1"),
        ["batches"] = (() => Shaped(2, 2, 3).MatMul(Shaped(3, 3, 2)), "(operands [2, 2, 3], [3, 3, 2])"),
        ["a row"] = (() => Shaped(4).Lstm(
            Shaped(2, 5), Shaped(2, 5), Shaped(20, 4), Shaped(20, 5), Shaped(20)).H, "the input is [N, T, I]"),
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void WhatWouldBeRepeatedOrIgnored_IsRefused(string name)
    {
        var (call, rule) = Cases[name];
        Assert.Contains(rule, Refused(() => call()), StringComparison.Ordinal);
    }

    // ERR-01: and what it was given.
    [Theory]
    [InlineData("ij,jk->ik", "character 4 'j' is 4 here and 3 before (operands [2, 3], [4, 3])")]
    [InlineData("ijk,jk->ik", "character 1 'i' starts operand 0 with 3 letters, its shape is [2, 3] (operands [2, 3], [4, 3])")]
    [InlineData("ij->ij", "names 1 operands, 2 are given (operands [2, 3], [4, 3])")]
    public void ErrorsOfContractions_ShowTheOperands(string spec, string rule) => Assert.Equal(
        $"einsum \"{spec}\": {rule}", Refused(() => Functions.Einsum(spec, Shaped(2, 3), Shaped(4, 3))));

    // OPS-10: the character that its author wrote, also beside "...".
    [Theory]
    [InlineData("...i,...i->...", "character 6 '.' is 4 here and 2 before")]
    [InlineData("......->", "character 4 '.' begins a second \"...\"")]
    [InlineData("...i,...j->...k", "character 15 'k' is in no operand")]
    [InlineData("...i,...i?->...", "character 10 '?' is not a letter")]
    [InlineData("... i, ...i -> i i...", "character 18 'i' is twice in the result")]
    public void ContractionsWithDots_PointAtTheAuthorsCharacter(string spec, string rule)
    {
        var refused = Assert.Throws<ShapeException>(() => Functions.Einsum(spec, Shaped(2, 3), Shaped(4, 3)));
        Assert.Equal(ErrorCode.EinsumSpec, refused.ErrorCode);
        Assert.StartsWith($"einsum \"{spec}\": {rule}", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("(operands [2, 3], [4, 3])", refused.Message, StringComparison.Ordinal);
    }

    private static string Refused(Action call) => Assert.Throws<ShapeException>(call).Message;

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-9 * Math.Abs(a);

    [Theory]
    [InlineData(6, 2, "an input length is 0 to the steps of the log-probabilities, 5")]
    [InlineData(5, -1, "a target length is 0 to the width of the targets, 2")]
    public void LengthsThatDoNotFit_AreNamed(int input, int target, string rule)
    {
        // ERR-01: they were an index of a one-hot inside the loss.
        Variable Ids(params int[] dims) => new(Tensor.Full(DType.Int32, 1, new Shape(dims)));
        var refused = Refused(() => Shaped(5, 1, 4).CtcLoss(
            Ids(1, 2), new Variable(Tensor.Of([input], 1)), new Variable(Tensor.Of([target], 1))));
        Assert.StartsWith($"ctc-loss: {rule}", refused, StringComparison.Ordinal);
    }
}
