namespace Convoy.Autodiff.Ops;

// y = x with its dimensions in the order of perm
internal sealed class Permute : CompositeOp
{
    public override string Name => "permute";
    internal override string Settings => "perm";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [x[0].Transpose(attributes.Ints("perm").AsSpan())];
}
