namespace Convoy.Autodiff.Ops;

// y = x with a dimension of size 1 at axis
internal sealed class Unsqueeze : CompositeOp
{
    public override string Name => "unsqueeze";
    internal override string Settings => "axis";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var axis = Axes.OneMore(attributes.Int("axis"), x[0].Type, Name);
        return [x[0].Reshape(x[0].Type.Dims.Insert(axis, 1).AsSpan())];
    }
}
