namespace Convoy.Autodiff.Ops;

// y_n = stretch n of one axis, sizes given, all of it
internal sealed class Split : CompositeOp
{
    public override string Name => "split";
    internal override string Settings => "axis sizes";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var axis = Axes.One(attributes.Int("axis"), x[0].Type, Name);
        var sizes = attributes.Ints("sizes");
        Require(sizes.All(s => s >= 0) && sizes.Sum() == x[0].Type[axis].Size,
            $"[{string.Join(",", sizes)}] do not add up to {x[0].Type[axis]}");
        var from = 0;
        var parts = new Value[sizes.Length];
        for (var i = 0; i < parts.Length; from += sizes[i++]) parts[i] = x[0].Slice(axis, from, sizes[i]);
        return parts;
    }
}
