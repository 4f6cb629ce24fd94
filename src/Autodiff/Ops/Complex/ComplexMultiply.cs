namespace Convoy.Autodiff.Ops;

// z = a b        a, b -> z, dimensions of size 1 repeated
internal sealed class ComplexMultiply() : ComplexOp(2)
{
    public override string Name => "complex-multiply";

    private protected override Value[] Formula(ComplexValue[] z)
    {
        var (a, b) = (z[0], z[1]);
        return Parts(
            (a.Real * b.Real) - (a.Imaginary * b.Imaginary), (a.Real * b.Imaginary) + (a.Imaginary * b.Real));
    }
}
