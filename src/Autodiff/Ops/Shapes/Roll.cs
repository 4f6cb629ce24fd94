namespace Convoy.Autodiff.Ops;

// y = x with element i at i + shift of one axis, around the end
internal sealed class Roll : CompositeOp
{
    public override string Name => "roll";
    internal override string Settings => "axis shift";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var axis = Axes.One(attributes.Int("axis"), x[0].Type, Name);
        Require(!x[0].Type[axis].PerSample, $"dimension {axis} of {x[0].Type.Text} is the batch");
        var size = x[0].Type[axis].Size;
        var shift = size == 0 ? 0 : ((attributes.Int("shift") % size) + size) % size;
        return [shift == 0 ? x[0]
            : Functions.Concat(axis, x[0].Slice(axis, size - shift, shift), x[0].Slice(axis, 0, size - shift))];
    }
}
