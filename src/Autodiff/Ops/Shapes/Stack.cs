namespace Convoy.Autodiff.Ops;

// y = inputs of one shape side by side on a new dimension axis
internal sealed class Stack : CompositeOp
{
    public override string Name => "stack";
    internal override string Settings => "axis";
    private protected override (int Least, int Most) Arity => (1, 1 << 12);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var axis = Axes.OneMore(attributes.Int("axis"), x[0].Type, Name);
        Value[] parts = [.. x.Select(v => v.Unsqueeze(axis))];
        return [Functions.Concat(axis, parts)];
    }
}
