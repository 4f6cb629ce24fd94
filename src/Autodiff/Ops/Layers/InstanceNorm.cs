namespace Convoy.Autodiff.Ops;

// y = (x - mean) / √(variance + epsilon) gain + bias over each channel of each sample        x_NC.., gain_C, bias_C
internal sealed class InstanceNorm : CompositeOp
{
    public override string Name => "instance-norm";
    internal override string Settings => "epsilon";
    private protected override (int Least, int Most) Arity => (1, 3);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var rank = x[0].Type.Rank;
        Require(rank >= 3, $"the input is [N, C, sizes], not {x[0].Type.Text}");
        Normalized.Check(x, x[0].Type.Dims.AsSpan()[1..2]);
        int[] axes = [.. Enumerable.Range(2, rank - 2)];
        return [Normalized.Over(x, axes, attributes, v => Normalized.PerChannel(v, rank))];
    }
}
