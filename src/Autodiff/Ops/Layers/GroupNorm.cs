namespace Convoy.Autodiff.Ops;

// y = (x - mean) / √(variance + epsilon) gain + bias over each of G groups of channels        x_NC.., gain_C, bias_C
internal sealed class GroupNorm : CompositeOp
{
    public override string Name => "group-norm";
    internal override string Settings => "groups epsilon";
    private protected override (int Least, int Most) Arity => (1, 3);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var (type, groups) = (x[0].Type, attributes.Int("groups", 1));
        Require(type.Rank >= 2 && groups > 0 && type[1].Size % groups == 0,
            $"{type.Text} has not {groups} groups of channels");
        Normalized.Check(x, type.Dims.AsSpan()[1..2]);
        Tensors.Dim[] split = [type[0], groups, type[1].Size / groups, .. type.Dims.Skip(2)];
        int[] axes = [.. Enumerable.Range(2, type.Rank - 1)];
        var h = Normalized.Over([x[0].Reshape(split)], axes, attributes, v => v).Reshape(type.Dims.AsSpan());
        return [Normalized.Affine(h, x, v => Normalized.PerChannel(v, type.Rank))];
    }
}
