namespace Convoy.Autodiff.Ops;

// y = x without dimension axis, whose size is 1
internal sealed class Squeeze : CompositeOp
{
    public override string Name => "squeeze";
    internal override string Settings => "axis";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var (type, axis) = (x[0].Type, Axes.One(attributes.Int("axis"), x[0].Type, Name));
        Require(type[axis] == 1, $"dimension {axis} of {type.Text} is not 1");
        return [x[0].Reshape(type.Dims.RemoveAt(axis).AsSpan())];
    }
}
