using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = (x - mean) / √(variance + epsilon) gain + bias over each channel of the samples of a slice (all samples where the
// batch is not cut); with running values, those take the place of mean and variance in evaluation
// x_NC.., gain_C, bias_C, running mean_C, running variance_C -> y_NC.., mean_NC.., variance_NC.. of the slice of n
internal sealed class BatchNorm : CompositeOp
{
    public override string Name => "batch-norm";
    internal override string Settings => "epsilon";

    private protected override (int Least, int Most) Arity => (1, 5);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var rank = x[0].Type.Rank;
        Require(rank >= 2, $"the input is [N, C, sizes], not {x[0].Type.Text}");
        Require(x.Length != 4, "takes a running mean and a running variance, or none");
        Normalized.Check(x, x[0].Type.Dims.AsSpan()[1..2]);
        int[] sizes = [.. Enumerable.Range(2, rank - 2)];
        Value Average(Value v) => (sizes.Length == 0 ? v : v.Mean(sizes, keep: true)).Apply(OpTable.SliceMean);
        Value Known(Value batch, int running) => x.Length < 5 ? batch
            : !TrainingMode.IsOn ? Normalized.PerChannel(x[running], rank)
            : batch.Apply(OpTable.Statistic, Normalized.PerChannel(x[running], rank));
        var mean = Average(x[0]);
        var centred = x[0] - Known(mean, 3);
        var variance = Average(centred.Square());
        var scale = (Known(variance, 4) + attributes.Number("epsilon", Functions.LayerNormEpsilon)).Rsqrt();
        var y = Normalized.Affine(centred * scale, x[..Math.Min(x.Length, 3)], v => Normalized.PerChannel(v, rank));
        return [y, mean, variance];
    }
}
