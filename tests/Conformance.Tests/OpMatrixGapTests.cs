using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>GV-04: the matrix shows what is missing and what is wrong; a matrix without gaps could be blind.</summary>
public sealed class OpMatrixGapTests
{
    [Fact]
    public void OperatorWithoutSamples_IsAGapInEveryColumn()
    {
        var row = OpMatrix.Row(new Untested());
        Assert.All(row.Cells, c => Assert.Equal((OpCellState.Gap, "no sample"), (c.State, c.Note)));
        Assert.Equal(Enum.GetValues<OpCheckKind>().Length * 2, row.Gaps.Count());
        Assert.Contains("untested  ! !", OpMatrixText.Table([row]), StringComparison.Ordinal);
        Assert.Contains($"1 operators, {row.Gaps.Count()} gaps", OpMatrixText.Html([row]), StringComparison.Ordinal);
    }

    [Fact]
    public void WrongGradient_IsAGapOfItsColumns_WithTheFigures()
    {
        using var scope = GradientOverride.Use(OpTable.Sin, g => [g.Gradient * (((Value)g.Inputs[0]).Cos() * 1.001)]);
        var gaps = OpMatrix.Row(OpTable.Sin).Gaps.ToArray();
        var wrong = Assert.Single(gaps, g => g is { Check: OpCheckKind.Gradient, DType: DType.Float64 });
        Assert.Contains("sin", wrong.Note, StringComparison.Ordinal);
        Assert.Contains("relative", wrong.Note, StringComparison.Ordinal);
        // The value is right all the same.
        Assert.DoesNotContain(gaps, g => g.Check == OpCheckKind.Forward);
    }

    private sealed class Untested : Op
    {
        public override string Name => "untested";
        public override string Sharding => "not at all";

        internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs) => [inputs[0]];

        internal override void Forward(OpCall call) => call.Outputs[0].CopyFrom(call.Inputs[0]);

        internal override Value?[] Backward(OpGradient g) => [g.Dy];
    }
}
