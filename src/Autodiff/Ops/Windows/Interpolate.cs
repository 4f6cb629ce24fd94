namespace Convoy.Autodiff.Ops;

// y = x resampled to the given sizes, nearest or linear in each dimension        x_NC(sizes) -> y_NC(output)
internal sealed class Interpolate : CompositeOp
{
    public override string Name => "interpolate";
    internal override string Settings => "output mode";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var y = x[0];
        Require(y.Type.Rank > 2, $"the input is [N, C, sizes], not {y.Type.Text}");
        var output = WindowLists.List(attributes, "output", 1, y.Type.Rank - 2);
        for (var d = 0; d < output.Length; d++)
        {
            if (y.Type[d + 2] == output[d]) continue;
            var one = Attributes.Of("axis", d + 2, "size", output[d]).With("mode", attributes.Text("mode", "nearest"));
            y = y.Apply(OpTable.Resample, one);
        }

        return [y];
    }
}
