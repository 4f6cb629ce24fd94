namespace Convoy.Autodiff.Ops;

// z = a - b        a, b -> z, dimensions of size 1 repeated
internal sealed class ComplexSubtract() : ComplexOp(2)
{
    public override string Name => "complex-subtract";

    private protected override Value[] Formula(ComplexValue[] z) =>
        Parts(z[0].Real - z[1].Real, z[0].Imaginary - z[1].Imaginary);
}
