using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Ops;

// y = (x - mean) / √(variance + epsilon) gain + bias over each channel of all samples, by the statistics of this batch
// x_NC.., gain_C, bias_C -> y; a graph that follows the batch is refused, because slices of a batch may not see each
// other
internal sealed class BatchNorm : CompositeOp
{
    public override string Name => "batch-norm";
    private protected override (int Least, int Most) Arity => (1, 3);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var rank = x[0].Type.Rank;
        Require(rank >= 2, $"the input is [N, C, sizes], not {x[0].Type.Text}");
        if (x[0].Type.IsPerSample)
        {
            throw new UnsupportedException(
                $"{Name}: statistics over the batch would depend on how it is dealt: use group-norm or layer-norm in a training graph");
        }

        int[] axes = [0, .. Enumerable.Range(2, rank - 2)];
        return [Normalized.Over(x, axes, attributes, v => Normalized.PerChannel(v, rank))];
    }
}
