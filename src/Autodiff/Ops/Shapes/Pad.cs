namespace Convoy.Autodiff.Ops;

// y = x with constant elements before and after it on one axis
internal sealed class Pad : CompositeOp
{
    public override string Name => "pad";
    internal override string Settings => "axis before after value";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var axis = Axes.One(attributes.Int("axis"), x[0].Type, Name);
        var parts = new List<Value> { x[0] };
        if (attributes.Int("before") > 0) parts.Insert(0, Block(attributes.Int("before")));
        if (attributes.Int("after") > 0) parts.Add(Block(attributes.Int("after")));
        Require(attributes.Int("before") >= 0 && attributes.Int("after") >= 0, "a width is 0 or more");
        return [parts.Count == 1 ? x[0] : Functions.Concat(axis, [.. parts])];

        Value Block(int size) =>
            builder.Full(attributes.Number("value"), x[0].Type.With(x[0].Type.Dims.SetItem(axis, size).AsSpan()));
    }
}
