namespace Convoy.Autodiff.Ops;

// y = det x of the last two dimensions; a singular matrix has no gradient here
internal sealed class Determinant : CompositeOp
{
    public override string Name => "determinant";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var parts = builder.Apply(OpTable.SignLogDet, Attributes.None, x);
        return [parts[0] * parts[1].Exp()];
    }
}
