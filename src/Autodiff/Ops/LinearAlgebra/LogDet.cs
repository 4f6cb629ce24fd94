namespace Convoy.Autodiff.Ops;

// y = ln det x of the last two dimensions, NaN where the determinant is negative
internal sealed class LogDet : CompositeOp
{
    public override string Name => "log-det";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var parts = builder.Apply(OpTable.SignLogDet, Attributes.None, x);
        return [parts[0].Greater(parts[0].Constant(0)).Where(parts[1], parts[1].Constant(double.NaN))];
    }
}
